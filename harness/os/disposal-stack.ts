/**
 * How to end what has been opened so far: in reverse order, and everything, also where the end of something fails.
 * (ECMAScript's AsyncDisposableStack, which Node 20 lacks.)
 */
export class DisposalStack implements AsyncDisposable {
  readonly #ends: (() => unknown)[] = [];

  /** Registers an end; `end` may be called before what it ends has come to be. */
  defer(end: () => unknown): void {
    this.#ends.push(end);
  }

  use<T extends AsyncDisposable>(resource: T): T {
    this.defer(() => resource[Symbol.asyncDispose]());
    return resource;
  }

  /** Rejects with the first failure, after the last end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) {
      try {
        await end();
      } catch (failure) {
        failures.push(failure);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/**
 * Has `start` open what it needs, one after another. Where it fails, all that it had opened is ended, and its error is the
 * one told; where it succeeds, the stack is for its result to dispose of.
 */
export async function opening<T>(start: (opened: DisposalStack) => Promise<T>): Promise<T> {
  const opened = new DisposalStack();
  try {
    return await start(opened);
  } catch (error) {
    await opened[Symbol.asyncDispose]().catch(() => {});
    throw error;
  }
}
