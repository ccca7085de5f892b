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
import { maxHandleBytes, mount, nfs, portmap } from '../../../harness/wire/codecs/rpc.ts';
import { opaque, uint32s, type XdrReader } from '../../../harness/wire/codecs/xdr.ts';
import { call, RpcClient, record as rpcRecord, text } from '../../nfs/rpc-client.ts';
import { duplexPair } from '../../vm/duplex-pair.ts';
import { record } from '../arbitraries.ts';
import { type Mutation, mutated, mutation, noise } from '../mutation.ts';
import { checkEvent } from '../rig.ts';
import { target } from '../target.ts';

const scriptText = '#!ipxe\n'.repeat(20);
const tree = openTree({
  'boot.ipxe': { text: scriptText },
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

interface Attacked {
  start(services: { emit: (event: UntimedEvent) => void }): Promise<RunningServer>;
  /** What a client with good intentions sends to this server. */
  whole(server: RunningServer): readonly Buffer[] | Promise<readonly Buffer[]>;
  /** Throws where the server does not answer as it should. */
  question(server: RunningServer): Promise<void>;
}

/** A server, attacked by one connection after another; afterwards it still answers. */
async function attack({ start, whole, question }: Attacked, attacks: readonly (readonly Part[])[]): Promise<void> {
  const events: UntimedEvent[] = [];
  const server = await start({ emit: (event) => void events.push(event) });
  try {
    const originals = await whole(server);
    for (const parts of attacks) await converse(server, Buffer.concat(parts.map((part) => bytesOf(part, originals))));
    await question(server);
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

const getPort = rpcRecord(
  call(1, portmap.program, portmap.version, portmap.procedures.getPort, uint32s(nfs.program, 3, 6, 0)),
);

/** The handles of a mounted folder and of a file in it. */
async function handlesFrom({ port }: RunningServer) {
  const client = await RpcClient.open(port);
  const handleIn = (results: XdrReader): Buffer => {
    assert.equal(results.uint32(), 0);
    return results.opaque(maxHandleBytes);
  };
  const { mount: mounting } = mount.procedures;
  const folder = handleIn(await client.results(mount.program, mount.version, mounting, text('/netboot')));
  const { lookup } = nfs.procedures;
  const file = handleIn(await client.results(nfs.program, nfs.version, lookup, opaque(folder), text('boot.ipxe')));
  return { client, folder, file };
}

/** Calls behind valid handles, and behind one that was never given out. */
async function callsTo(server: RunningServer): Promise<Buffer[]> {
  const { client, folder, file } = await handlesFrom(server);
  client.close();
  const { lookup, read, access, getAttributes, fsInfo } = nfs.procedures;
  return [
    call(1, mount.program, mount.version, mount.procedures.mount, text('/netboot/a')),
    ...[folder, file, noise(1, 16)].flatMap((handle) =>
      [
        [lookup, text('boot.ipxe')],
        [lookup, text('moved')],
        [read, uint32s(0, 0, 100_000)],
        [read, uint32s(0, 100, 7)],
        [access, uint32s(0x3f)],
        [getAttributes],
        [fsInfo],
      ].map(([procedure, ...more]) =>
        call(2, nfs.program, nfs.version, procedure as number, opaque(handle), ...(more as Buffer[])),
      ),
    ),
  ].map(rpcRecord);
}

/** A file is still read as it is. */
async function readsFile(server: RunningServer): Promise<void> {
  const { client, file } = await handlesFrom(server);
  const results = await client.results(
    nfs.program,
    nfs.version,
    nfs.procedures.read,
    opaque(file),
    uint32s(0, 0, 1000),
  );
  assert.equal(results.uint32(), 0);
  // Its attributes, the count, and whether that is the end.
  results.skip(4 + 84 + 8);
  assert.equal(results.opaque(1000).toString(), scriptText);
  client.close();
}

/** What one connection is sent: which of the whole messages, or noise; and what is changed in it. */
interface Part {
  readonly sent: number | Buffer;
  readonly change: Mutation | null;
}

const bytesOf = ({ sent, change }: Part, whole: readonly Buffer[]): Buffer => {
  const bytes = typeof sent === 'number' ? (whole[sent % whole.length] as Buffer) : sent;
  return change === null ? bytes : mutated(bytes, change);
};

/** Connections, each with some messages after another, changed or not; or with noise. */
const attacks: fc.Arbitrary<Part[][]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.array(record<Part>({ sent: fc.nat(999), change: fc.option(mutation) }), {
        minLength: 1,
        maxLength: 4,
      }),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.nat(), fc.nat(3000))
        .map(([seed, length]): Part[] => [{ sent: noise(seed, length), change: null }]),
    },
  ),
  { minLength: 1, maxLength: 5 },
);

/** Answers something to this message. */
const answers = (message: Buffer) => async (server: RunningServer) =>
  assert.ok((await converse(server, message)) > 0, 'the server has stopped answering');

const http = target({
  name: 'http-server',
  holds: 'whatever a connection brings, the HTTP server answers or closes it, and the next one is answered',
  testRuns: 15,
  input: attacks,
  async check(attacks, count) {
    const question = answers(requests[0] as Buffer);
    await attack({ start: ({ emit }) => startHttp({ tree, emit }), whole: () => requests, question }, attacks);
    count(attacks.length);
  },
});

const rpc = target({
  name: 'nfs-server',
  holds:
    'whatever a connection brings, also behind a valid handle, the RPC servers answer or close it, and the next one reads a file',
  testRuns: 15,
  input: attacks,
  async check(attacks, count) {
    await attack({ start: ({ emit }) => startNfs({ tree, emit }), whole: callsTo, question: readsFile }, attacks);
    const question = answers(getPort);
    await attack({ start: ({ emit }) => startPortmap({ emit }), whole: () => [getPort], question }, attacks);
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
