import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { type Qmp, startQmp } from '../../harness/vm/qmp.ts';
import { duplexPair } from './duplex-pair.ts';

const greeting =
  '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian 1:7.2"}, "capabilities": ["oob"]}}';

interface Command {
  execute: string;
  arguments?: Record<string, unknown>;
  id: number;
}

let qemu: Duplex;
let qmp: Qmp;
let events: UntimedEvent[];
let commands: Command[];

beforeEach(() => {
  const [ours, theirs] = duplexPair();
  qemu = theirs;
  events = [];
  commands = [];
  qemu.setEncoding('utf8').on('data', (lines: string) => {
    for (const line of lines.trim().split('\n')) commands.push(JSON.parse(line));
  });
  qmp = startQmp(ours, (event) => events.push(event));
});

const tell = (message: object): void => void qemu.write(`${JSON.stringify(message)}\r\n`);

/** The greeting and the end of negotiation; what QEMU was asked so far is not of interest any more. */
async function negotiated(): Promise<void> {
  qemu.write(`${greeting}\r\n`);
  await nextTurn();
  tell({ return: {}, id: commands.shift()?.id });
  await nextTurn();
}

async function asked(): Promise<Command> {
  await nextTurn();
  const command = commands.shift();
  if (!command) throw new Error('QEMU was asked nothing');
  return command;
}

describe('a session', () => {
  it('negotiates before any command goes out', async () => {
    const status = qmp.execute('query-status');
    expect((await asked()).execute).toBe('qmp_capabilities');
    expect(commands).toEqual([]);
    qemu.write(`${greeting}\r\n`);
    tell({ return: {}, id: 1 });
    const { execute, id } = await asked();
    expect(execute).toBe('query-status');
    tell({ return: { status: 'running' }, id });
    expect(await status).toEqual({ status: 'running' });
  });

  it('passes arguments on, and takes answers in any order', async () => {
    await negotiated();
    const first = qmp.execute('device_del', { id: 'net0' });
    const second = qmp.execute('cont');
    const one = await asked();
    const other = await asked();
    expect(one).toMatchObject({ execute: 'device_del', arguments: { id: 'net0' } });
    tell({ return: { second: true }, id: other.id });
    tell({ return: { first: true }, id: one.id });
    expect(await Promise.all([first, second])).toEqual([{ first: true }, { second: true }]);
  });

  it('tells events, also ones without data', async () => {
    await negotiated();
    tell({
      timestamp: { seconds: 1, microseconds: 2 },
      event: 'SHUTDOWN',
      data: { guest: true, reason: 'guest-reset' },
    });
    tell({ timestamp: { seconds: 1, microseconds: 2 }, event: 'STOP' });
    await nextTurn();
    expect(events).toEqual([
      { source: 'qmp', type: 'event', name: 'SHUTDOWN', data: { guest: true, reason: 'guest-reset' } },
      { source: 'qmp', type: 'event', name: 'STOP', data: {} },
    ]);
  });

  it('puts together what arrives in pieces', async () => {
    await negotiated();
    const text = `{"event": "STOP"}\r\n{"event": "RESUME", "data": {"ü": "–"}}\r\n`;
    for (const byte of Buffer.from(text)) qemu.write(Buffer.from([byte]));
    await nextTurn();
    expect(events.map((event) => 'name' in event && event.name)).toEqual(['STOP', 'RESUME']);
    expect(events[1]).toMatchObject({ data: { ü: '–' } });
  });

  it('rejects what QEMU refuses, in its words', async () => {
    await negotiated();
    const refused = qmp.execute('no-such-command');
    const { id } = await asked();
    tell({ id, error: { class: 'CommandNotFound', desc: 'The command no-such-command has not been found' } });
    await expect(refused).rejects.toThrow('The command no-such-command has not been found');
  });

  it.each([
    ['no JSON', '{"return": '],
    ['no object', '17'],
    ['null', 'null'],
    ['an answer to nobody', '{"return": {}, "id": 4711}'],
    ['an event that has no name', '{"event": 5}'],
    ['an empty line', ''],
  ])('passes over %s', async (_, line) => {
    await negotiated();
    const status = qmp.execute('query-status');
    const { id } = await asked();
    qemu.write(`${line}\r\n`);
    tell({ return: { status: 'paused' }, id });
    expect(await status).toEqual({ status: 'paused' });
    expect(events).toEqual([]);
  });
});

describe('a session that ends', () => {
  it('rejects commands that wait, and ones that come later', async () => {
    await negotiated();
    const waiting = qmp.execute('query-status');
    await asked();
    qemu.end();
    await expect(waiting).rejects.toThrow('QMP connection closed');
    await expect(qmp.execute('cont')).rejects.toThrow('QMP session ended before cont');
  });

  it('rejects commands where it ended before the negotiation', async () => {
    const waiting = qmp.execute('query-status');
    qemu.end();
    await expect(waiting).rejects.toThrow('QMP connection closed');
  });

  it('rejects commands where the connection broke', async () => {
    const [ours] = duplexPair();
    const waiting = startQmp(ours, () => {}).execute('query-status');
    ours.destroy(new Error('ECONNRESET'));
    await expect(waiting).rejects.toThrow('QMP connection broke');
  });

  it('ends by itself where a line has no end', async () => {
    await negotiated();
    const closed = once(qemu, 'close');
    const waiting = qmp.execute('query-status');
    const rejected = expect(waiting).rejects.toThrow('QMP connection closed');
    for (let mebibyte = 0; mebibyte <= 4; mebibyte++) qemu.write('x'.repeat(1 << 20));
    await rejected;
    qemu.destroy();
    await closed;
  });
});
