import type { BodyFraming } from './http-reader.ts';

export interface HttpRequestHead {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly framing: BodyFraming;
}

export interface HttpResponseHead {
  readonly status: number;
  readonly length: number | null;
  readonly location: string | undefined;
  /** The body is a part of a file, from `start` up to its end (RFC 9110 §14.4); undefined of any other part. */
  readonly rest: { readonly start: number; readonly totalBytes: number } | undefined;
  readonly framing: BodyFraming;
}

/** Field values by lower-case name; repeated fields joined by commas (RFC 9110 §5.2). */
function fieldsOf(lines: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const earlier = fields.get(name);
    fields.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  return fields;
}

/** RFC 9112 §6.3: a transfer coding overrides a length, and conflicting lengths are ignored. */
function framingOf(fields: Map<string, string>, otherwise: BodyFraming): BodyFraming {
  const coding = fields.get('transfer-encoding');
  if (coding !== undefined) return /(^|[\s,])chunked$/i.test(coding) ? 'chunked' : otherwise;
  const lengths = fields.get('content-length')?.split(/\s*,\s*/);
  if (lengths === undefined) return otherwise;
  const [length] = new Set(lengths);
  const isOne = new Set(lengths).size === 1 && length !== undefined && /^\d{1,15}$/.test(length);
  return isOne ? { bytes: Number(length) } : 'unknown';
}

/** A request head (RFC 9112 §3); undefined without a valid request line. */
export function parseRequestHead(head: string): HttpRequestHead | undefined {
  const [first = '', ...rest] = head.split('\r\n');
  const [, method, target] = /^([!-~]+) ([!-~]+) HTTP\/1\.[01]$/.exec(first) ?? [];
  if (method === undefined || target === undefined) return undefined;
  const fields = fieldsOf(rest);
  const framing = method === 'CONNECT' ? 'unknown' : framingOf(fields, { bytes: 0 });
  return { method, target, host: fields.get('host') ?? '', framing };
}

/** A response head (RFC 9112 §4) to a request of this method; undefined without a valid status line. */
export function parseResponseHead(head: string, method: string): HttpResponseHead | undefined {
  const [first = '', ...rest] = head.split('\r\n');
  const [, code] = /^HTTP\/1\.[01] (\d{3})(?: .*)?$/.exec(first) ?? [];
  if (code === undefined) return undefined;
  const status = Number(code);
  const fields = fieldsOf(rest);
  const stated = framingOf(fields, 'until-close');
  const length = typeof stated === 'object' ? stated.bytes : null;
  const framing = isBodyless(status, method) ? { bytes: 0 } : stated;
  const range = status === 206 ? fields.get('content-range') : undefined;
  return { status, length, location: fields.get('location'), rest: restOf(range, length), framing };
}

function restOf(range: string | undefined, length: number | null): HttpResponseHead['rest'] {
  const numbers = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/
    .exec(range ?? '')
    ?.slice(1)
    .map(Number);
  const [start = 0, last = 0, totalBytes = 0] = numbers ?? [];
  const isRest = last + 1 === totalBytes && totalBytes - start === length;
  return isRest ? { start, totalBytes } : undefined;
}

/** Responses that end with their head, whatever their fields say (RFC 9112 §6.3). */
export function isBodyless(status: number, method: string): boolean {
  return method === 'HEAD' || status < 200 || status === 204 || status === 304;
}
