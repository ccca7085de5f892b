import { describe, expect, it } from 'vitest';
import { DisposalStack, opening } from '../../harness/os/disposal-stack.ts';

describe('what has been opened', () => {
  it('is ended in reverse order, once', async () => {
    const ended: string[] = [];
    const opened = new DisposalStack();
    opened.defer(() => ended.push('first'));
    opened.use({ [Symbol.asyncDispose]: async () => void ended.push('second') });
    await opened[Symbol.asyncDispose]();
    await opened[Symbol.asyncDispose]();
    expect(ended).toEqual(['second', 'first']);
  });

  it('is ended whole where one end fails, and the first failure is told', async () => {
    const ended: string[] = [];
    const opened = new DisposalStack();
    opened.defer(() => ended.push('capture'));
    opened.defer(() => Promise.reject(new Error('the second to end')));
    opened.defer(() => {
      throw new Error('the first to end');
    });
    await expect(opened[Symbol.asyncDispose]()).rejects.toThrow('the first to end');
    expect(ended).toEqual(['capture']);
  });
});

describe('a start', () => {
  it('that fails ends what it had opened, and is told by its own error', async () => {
    const ended: string[] = [];
    const start = opening(async (opened) => {
      opened.defer(() => ended.push('first'));
      opened.defer(() => Promise.reject(new Error('of closing')));
      throw new Error('of starting');
    });
    await expect(start).rejects.toThrow('of starting');
    expect(ended).toEqual(['first']);
  });

  it('that succeeds leaves all open, for its result to end', async () => {
    let open = 0;
    const { stop } = await opening(async (opened) => {
      open++;
      opened.defer(() => open--);
      return { stop: () => opened[Symbol.asyncDispose]() };
    });
    expect(open).toBe(1);
    await stop();
    expect(open).toBe(0);
  });
});
