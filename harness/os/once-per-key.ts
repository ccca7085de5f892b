/**
 * Has each key's value made once, however many ask for it at the same time. A rejection goes to those who asked and is
 * not kept: the next to ask has it made again.
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
