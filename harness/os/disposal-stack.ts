/**
 * Closes what has been opened, in reverse order, and carries on past failures.
 * (ECMAScript's AsyncDisposableStack, which Node 20 lacks.)
 */
export class DisposalStack implements AsyncDisposable {
  readonly #ends: (() => unknown)[] = [];

  /** Registers a cleanup; it may be called before what it closes exists. */
  defer(end: () => unknown): void {
    this.#ends.push(end);
  }

  use<T extends AsyncDisposable>(resource: T): T {
    this.defer(() => resource[Symbol.asyncDispose]());
    return resource;
  }

  /** Rejects with the first failure, after the last cleanup. */
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
 * Runs `start`, which opens what it needs. If it fails, everything it opened is closed and its error is rethrown; if it
 * succeeds, its result takes over the stack.
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
