import fc from 'fast-check';

export const uint32 = fc.nat(0xffff_ffff);
export const port = fc.integer({ min: 1, max: 0xffff });

export const bytes = (maxLength: number, minLength = 0): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));

const hexPairs = (count: number) => fc.uint8Array({ minLength: count, maxLength: count });

/** Lower case, colons. */
export const mac = hexPairs(6).map((array) =>
  Buffer.from(array)
    .toString('hex')
    .replace(/..(?!$)/g, '$&:'),
);
export const ipv4 = hexPairs(4).map((array) => array.join('.'));
/** In full, with leading zeros, often with runs of zero groups. */
export const ipv6 = fc
  .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((group) => group.toString(16).padStart(4, '0')).join(':'));

/** An object as code makes it; fast-check's own also come without a prototype. */
export const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(fields, { noNullPrototype: true });
