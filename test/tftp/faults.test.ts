import { describe, expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { blocksOf, guest, setUp } from './bench.ts';
import { encodeAck } from './client-packets.ts';

const text = (bytes: number) => ({ text: 'x'.repeat(bytes) });
const asked = { blksize: '1024', tsize: '0', windowsize: '4' };
const actionsIn = (events: readonly UntimedEvent[]) =>
  events.flatMap((event) => (event.source === 'tftp' && event.type === 'fault' ? [[event.action, event.what]] : []));

describe('the options of a server with a fault', () => {
  test.each<[object, Record<string, string>, Record<string, string> | undefined]>([
    [{ ignoreOptions: ['tsize'] }, asked, { blksize: '1024', windowsize: '4' }],
    [{ ignoreOptions: ['windowsize', 'blksize'] }, asked, { tsize: '5000' }],
    [{ ignoreOptions: 'all' }, asked, undefined],
    [{ oack: { tsize: 'length' } }, { blksize: '1024' }, { blksize: '1024', tsize: '5000' }],
    [{ oack: { tsize: 77 } }, asked, { blksize: '1024', tsize: '77', windowsize: '4' }],
    [{ oack: { blksize: 1448 } }, asked, { blksize: '1448', tsize: '5000', windowsize: '4' }],
    [{ oack: { windowsize: 8 } }, {}, { windowsize: '8' }],
  ])('%j', async (fault, options, granted) => {
    const { request, taken, events } = setUp({ file: text(5000) }, fault);
    await request('file', options);
    const [first] = taken();
    if (granted) expect(first).toEqual({ kind: 'oack', options: new Map(Object.entries(granted)) });
    else expect(first).toMatchObject({ kind: 'data', block: 1, data: { length: 512 } });
    expect(actionsIn(events)).toEqual([[Object.keys(fault)[0], 'file']]);
  });

  test('a raised blksize is kept to', async () => {
    const { request, send, taken } = setUp({ file: text(5000) }, { oack: { blksize: 1448 } });
    await request('file', { blksize: '512' });
    taken();
    send(encodeAck(0));
    expect(taken()).toMatchObject([{ block: 1, data: { length: 1448 } }]);
  });

  test.each<[object, Record<string, string>]>([
    [{ ignoreOptions: ['windowsize'] }, { blksize: '1024' }],
    [{ ignoreOptions: 'all' }, {}],
    [{ ignoreOptions: ['blksize'] }, { blksize: 'x', tsize: '0' }],
    [{ oack: { tsize: 'length', blksize: 1024 } }, asked],
  ])('are what they would be, and the log says nothing: %j of %j', async (fault, options) => {
    const [plain, { request, taken, events }] = [setUp({ file: text(5000) }), setUp({ file: text(5000) }, fault)];
    await plain.request('file', options);
    await request('file', options);
    expect(taken()).toEqual(plain.taken());
    expect(actionsIn(events)).toEqual([]);
  });

  test.each<[object, Record<string, string>]>([
    [{ ignoreOptions: ['windowsize'] }, { blksize: '1024' }],
    [{ lengthOff: 5 }, { missing: '' }],
  ])('%j waits for a request that it can do something to', async (fault, { missing, ...options }) => {
    const { request, send, events } = setUp({ file: text(500) }, { of: { first: 1 }, ...fault });
    await request(missing === undefined ? 'file' : 'missing', options);
    expect(actionsIn(events)).toEqual([]);
    await request('file', { windowsize: '4', unknown: '1' }, { ...guest, port: 2071 });
    send(encodeAck(0), { ...guest, port: 2071 });
    await request('file', {}, { ...guest, port: 2072 });
    expect(actionsIn(events)).toEqual([[Object.keys(fault)[0], 'file']]);
  });

  test('they are refused, and a request without any is served', async () => {
    const { request, taken } = setUp({ file: text(100) }, { refuseOptions: true });
    await request('file', asked);
    expect(taken()).toMatchObject([{ kind: 'error', code: 8 }]);
    await request('file', {}, { ...guest, port: 2071 });
    expect(taken()).toMatchObject([{ kind: 'data', block: 1 }]);
  });
});

describe('a transfer with a fault', () => {
  test('is only of the files and the requests that are picked', async () => {
    const served = { 'boot/a.efi': text(10), other: text(10) };
    const { request, taken } = setUp(served, { match: { file: '*.efi' }, of: { nth: 2 }, silent: true });
    const answers: number[] = [];
    for (const [index, file] of ['other', 'boot/a.efi', 'boot/a.efi', 'other', 'boot/a.efi'].entries()) {
      await request(file, {}, { ...guest, port: 3000 + index });
      answers.push(taken().length);
    }
    expect(answers).toEqual([1, 1, 0, 1, 1]);
  });

  test('starts late, though the request is repeated', async () => {
    const { request, taken, clock, settle } = setUp({ file: text(10) }, { delayMs: 2500 });
    await request('file');
    await request('file');
    expect(taken()).toEqual([]);
    clock.advance(2500);
    await settle();
    expect(blocksOf(taken())).toEqual([1]);
  });

  test('does not start once the server is closed', async () => {
    const { request, taken, clock, server, settle } = setUp({ file: text(10) }, { delayMs: 2500 });
    await request('file');
    server.close();
    clock.advance(5000);
    await settle();
    expect(taken()).toEqual([]);
  });

  test('ends with an error in place of a block', async () => {
    const { request, send, taken, events } = setUp({ file: text(5000) }, { errorAtBlock: 3 });
    await request('file');
    for (const block of [1, 2]) send(encodeAck(block));
    expect(taken()).toMatchObject([{ block: 1 }, { block: 2 }, { kind: 'error', code: 0 }]);
    expect(actionsIn(events)).toEqual([['errorAtBlock', 'file']]);
    expect(events.at(-1)).toMatchObject({ type: 'transfer', outcome: 'aborted', bytes: 1024 });
  });

  test.each([{ skipBlock: 3 }, { otherTidAtBlock: 3 }, { lengthOff: -3900 }])(
    'meets nothing at a block that an error takes the place of: %j',
    async (other) => {
      const { request, send, taken, events } = setUp({ file: text(5000) }, { errorAtBlock: 3 }, other);
      await request('file');
      for (const block of [1, 2]) send(encodeAck(block));
      expect(taken()).toMatchObject([{ block: 1 }, { block: 2 }, { kind: 'error', code: 0 }]);
      expect(actionsIn(events)).toEqual([['errorAtBlock', 'file']]);
    },
  );

  test('leaves a block number out, and takes the numbers it has sent', async () => {
    const { request, send, taken, events } = setUp({ file: text(1500) }, { skipBlock: 2 });
    await request('file');
    for (const block of [1, 2, 3, 4]) send(encodeAck(block));
    expect(blocksOf(taken())).toEqual([1, 3, 4]);
    expect(events.at(-1)).toMatchObject({ outcome: 'complete', bytes: 1500 });
  });

  test('has a block from another port, and from its own when that is not acknowledged', async () => {
    const { request, send, takenRaw, clock } = setUp({ file: text(1500) }, { otherTidAtBlock: 2 });
    await request('file');
    const [first] = takenRaw();
    send(encodeAck(1));
    const [stray] = takenRaw();
    clock.advance(1100);
    const [again] = takenRaw();
    expect(stray?.fromPort).not.toBe(first?.fromPort);
    expect(again?.fromPort).toBe(first?.fromPort);
    expect([stray, again].map((sent) => sent?.payload.readUInt16BE(2))).toEqual([2, 2]);
  });

  test.each([
    [{ rolloverToOne: true }, 1],
    [{ of: { nth: 9 }, silent: true }, 0],
  ])('passes 65,535 blocks: %j', async (fault, after) => {
    const { request, send, taken, events } = setUp({ file: text(65_536 * 8 + 4) }, fault);
    await request('file', { blksize: '8' });
    send(encodeAck(0));
    const numbers: number[] = [];
    for (let packets = taken(); packets.length > 0; packets = taken()) {
      const [number] = blocksOf(packets);
      if (number === undefined) continue;
      numbers.push(number);
      send(encodeAck(number));
    }
    expect(numbers.slice(65_533)).toEqual([65_534, 65_535, after, after + 1]);
    expect(events.at(-1)).toMatchObject({ outcome: 'complete', bytes: 65_536 * 8 + 4 });
  });

  test('sends the last block again, as if its acknowledgement had been lost', async () => {
    const { request, send, taken, clock, events } = setUp({ file: text(600) }, { loseLastAck: true });
    await request('file');
    for (const block of [1, 2]) send(encodeAck(block));
    clock.advance(1100);
    expect(blocksOf(taken())).toEqual([1, 2, 2]);
    send(encodeAck(2));
    expect(events.at(-1)).toMatchObject({ outcome: 'complete' });
  });

  test.each([
    [-100, 500],
    [24, 624],
  ])('is %i bytes off from the length that was said', async (lengthOff, bytes) => {
    const { request, send, taken, events } = setUp({ file: text(600) }, { lengthOff });
    await request('file', { tsize: '0', blksize: '1024' });
    expect(taken()).toMatchObject([
      { kind: 'oack', options: new Map(Object.entries({ blksize: '1024', tsize: '600' })) },
    ]);
    expect(actionsIn(events)).toEqual([]);
    send(encodeAck(0));
    expect(taken()).toMatchObject([{ kind: 'data', data: { length: bytes } }]);
    expect(actionsIn(events)).toEqual([['lengthOff', 'file']]);
  });

  test.each([
    [-100, 500],
    [24, 624],
  ])('is of a file whose length has changed by %i', async (lengthOff, bytes) => {
    const { request, send, taken } = setUp({ file: text(600) }, { of: { after: 1 }, lengthOff });
    await request('file', { tsize: '0', blksize: '1024' });
    expect(taken()).toMatchObject([
      {
        kind: 'oack',
        options: new Map([
          ['tsize', '600'],
          ['blksize', '1024'],
        ]),
      },
    ]);
    await request('file', { blksize: '1024' }, { ...guest, port: 2071 });
    taken();
    send(encodeAck(0), { ...guest, port: 2071 });
    const [block] = taken();
    const wanted = Buffer.alloc(bytes).fill('x', 0, Math.min(600, bytes));
    expect(block).toMatchObject({ kind: 'data', data: wanted });
  });
});
