/**
 * Makes each key's value once, however many callers ask at the same time. A rejection goes to those callers and is not
 * kept: the next caller tries again.
 */
export function oncePerKey<T>(): (key: string, make: () => Promise<T>) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return (key, make) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const fresh = make();
    made.set(key, fresh);
    fresh.catch(() => made.delete(key));
    return fresh;
  };
}
