import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import type { UntimedEvent } from '../../../harness/model/events.ts';
import { startHttp } from '../../../harness/services/http/server.ts';
import type { RunningServer } from '../../../harness/services/loopback-server.ts';
import { startNfs, startPortmap } from '../../../harness/services/nfs/server.ts';
import { openTree } from '../../../harness/services/tree/served-tree.ts';
import { startQmp } from '../../../harness/vm/qmp.ts';
import { mount, nfs, portmap } from '../../../harness/wire/codecs/rpc.ts';
import { opaque, uint32s } from '../../../harness/wire/codecs/xdr.ts';
import { call, record as rpcRecord, text } from '../../nfs/rpc-client.ts';
import { duplexPair } from '../../vm/duplex-pair.ts';
import { record } from '../arbitraries.ts';
import { mutated, mutation, noise } from '../mutation.ts';
import { checkEvent } from '../rig.ts';
import { target } from '../target.ts';

const tree = openTree({
  'boot.ipxe': { text: '#!ipxe\n'.repeat(20) },
  'a/b': { text: 'b' },
  moved: { redirect: 'a/b' },
});

/** Sends bytes on a connection of their own, and ends it; resolves to how many came back once the server has closed it. */
async function converse({ port }: RunningServer, bytes: Buffer): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  let came = 0;
  socket.on('data', (data) => {
    came += data.length;
  });
  // A server may reset what it cannot use.
  socket.on('error', () => {});
  socket.end(bytes);
  await once(socket, 'close');
  return came;
}

/** A server, attacked by one connection after another; afterwards it still answers `question`. */
async function attack(
  start: (services: { emit: (event: UntimedEvent) => void }) => Promise<RunningServer>,
  attacks: readonly Buffer[],
  question: Buffer,
): Promise<void> {
  const events: UntimedEvent[] = [];
  const server = await start({ emit: (event) => void events.push(event) });
  try {
    for (const bytes of attacks) await converse(server, bytes);
    assert.ok((await converse(server, question)) > 0, 'the server has stopped answering');
  } finally {
    await server.close();
  }
  for (const event of events) checkEvent(event);
}

const requests = [
  'GET /boot.ipxe HTTP/1.1\r\nHost: s\r\n\r\n',
  'HEAD /a/b HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n',
  'GET /moved HTTP/1.0\r\n\r\n',
  'GET /boot.ipxe HTTP/1.1\r\nHost: s\r\nRange: bytes=5-9\r\n\r\n',
  'POST /x HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'GET http://s/%61/b?x#y HTTP/1.1\r\nHost: s\r\nExpect: 100-continue\r\n\r\n',
].map((request) => Buffer.from(request));

const calls = [
  call(1, mount.program, mount.version, mount.procedures.mount, text('/netboot')),
  call(2, nfs.program, nfs.version, nfs.procedures.lookup, opaque(noise(1, 16)), text('boot.ipxe')),
  call(3, nfs.program, nfs.version, nfs.procedures.read, opaque(noise(1, 16)), uint32s(0, 0, 100_000)),
  call(4, nfs.program, nfs.version, nfs.procedures.fsInfo, opaque(noise(1, 16))),
  call(5, portmap.program, portmap.version, portmap.procedures.getPort, uint32s(nfs.program, 3, 6, 0)),
].map(rpcRecord);

/** Some of these after another, changed or not; or noise. */
const attacksWith = (whole: readonly Buffer[]) =>
  fc
    .array(
      fc.oneof(
        {
          weight: 6,
          arbitrary: fc.array(fc.tuple(fc.constantFrom(...whole), fc.option(mutation)), { minLength: 1, maxLength: 4 }),
        },
        {
          weight: 1,
          arbitrary: fc.tuple(fc.nat(), fc.nat(3000)).map(([seed, length]) => [[noise(seed, length), null] as const]),
        },
      ),
      { minLength: 1, maxLength: 5 },
    )
    .map((connections) =>
      connections.map((parts) =>
        Buffer.concat(parts.map(([bytes, change]) => (change ? mutated(bytes, change) : bytes))),
      ),
    );

const http = target({
  name: 'http-server',
  holds: 'whatever a connection brings, the HTTP server answers or closes it, and the next one is answered',
  testRuns: 15,
  input: attacksWith(requests),
  async check(attacks, count) {
    await attack(({ emit }) => startHttp({ tree, emit }), attacks, requests[0] as Buffer);
    count(attacks.length);
  },
});

const rpc = target({
  name: 'nfs-server',
  holds: 'whatever a connection brings, the RPC servers answer or close it, and the next one is answered',
  testRuns: 15,
  input: attacksWith(calls),
  async check(attacks, count) {
    await attack(({ emit }) => startNfs({ tree, emit }), attacks, calls[0] as Buffer);
    await attack(({ emit }) => startPortmap({ emit }), attacks, calls[4] as Buffer);
    count(2 * attacks.length);
  },
});

const messages = [
  '{"return": {}, "id": 1}',
  '{"return": {"status": "running"}, "id": 2}',
  '{"error": {"class": "GenericError", "desc": "no"}, "id": 2}',
  '{"event": "STOP", "data": {}, "timestamp": {"seconds": 1, "microseconds": 2}}',
  '{"event": "RESET", "data": {"guest": true, "reason": "guest-reset"}}',
].map((line) => Buffer.from(`${line}\r\n`));

const qmp = target({
  name: 'qmp',
  holds: 'whatever QEMU says over QMP, events that are logged can be read, and commands come to an end',
  testRuns: 60,
  input: record({
    said: fc.array(fc.tuple(fc.constantFrom(...messages), fc.option(mutation)), { maxLength: 12 }),
    cut: fc.nat(40),
  }),
  async check({ said, cut }, count) {
    const [ours, theirs] = duplexPair();
    const session = startQmp(ours, checkEvent);
    const asked = [session.execute('query-status'), session.execute('cont')].map((answer) => answer.catch(() => {}));
    const bytes = Buffer.concat(said.map(([line, change]) => (change ? mutated(line, change) : line)));
    theirs.write(bytes.subarray(0, cut));
    theirs.write(bytes.subarray(cut));
    await new Promise((resolve) => setImmediate(resolve));
    theirs.destroy();
    ours.destroy();
    await Promise.all(asked);
    count(said.length);
  },
});

export const servers = [http, rpc, qmp];
