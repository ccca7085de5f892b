import type { Duplex } from 'node:stream';
import type { EventSink } from '../model/events.ts';

/** A QMP session (QEMU's docs/interop/qmp-spec.rst): events go to the sink, commands resolve to their `return`. */
export interface Qmp {
  /** Rejects with a `QmpError` when QEMU answers with one, with another error when the session ends first. */
  execute(command: string, args?: Record<string, unknown>): Promise<unknown>;
}

/** QEMU's own answer that it does not do what was asked. */
export class QmpError extends Error {}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const maxLineBytes = 4 << 20;

/** Starts the session over a connected stream; capabilities are negotiated before any command goes out. */
export function startQmp(stream: Duplex, emit: EventSink): Qmp {
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let ended = false;
  let buffered = '';

  const fail = (reason: string): void => {
    ended = true;
    for (const waiter of pending.values()) waiter.reject(new Error(reason));
    pending.clear();
  };

  const send = (command: string, args?: Record<string, unknown>): Promise<unknown> => {
    if (ended) return Promise.reject(new Error(`QMP session ended before ${command}`));
    const id = nextId++;
    return new Promise((resolve, reject) => {
      pending.set(id, { resolve, reject });
      stream.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  };

  const settle = (message: Record<string, unknown>): void => {
    const waiter = pending.get(message.id as number);
    if (!waiter) return;
    pending.delete(message.id as number);
    if ('error' in message) waiter.reject(new QmpError(`QMP: ${JSON.stringify(message.error)}`));
    else waiter.resolve(message.return);
  };

  const receive = (line: string): void => {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      return;
    }
    if (typeof message !== 'object' || message === null) return;
    const fields = message as Record<string, unknown>;
    if (typeof fields.event === 'string') {
      emit({
        source: 'qmp',
        type: 'event',
        name: fields.event,
        data: (fields.data ?? {}) as Record<string, unknown>,
      });
    } else if ('id' in fields) settle(fields);
  };

  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    buffered += chunk;
    const lines = buffered.split('\n');
    buffered = lines.pop() ?? '';
    for (const line of lines) if (line.trim()) receive(line);
    if (buffered.length > maxLineBytes) stream.destroy();
  });
  stream.on('error', () => fail('QMP connection broke'));
  stream.on('close', () => fail('QMP connection closed'));

  const ready = send('qmp_capabilities');
  ready.catch(() => {});
  return { execute: (command, args) => ready.then(() => send(command, args)) };
}
