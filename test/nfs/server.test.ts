import { randomBytes } from 'node:crypto';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import type { RunningServer } from '../../harness/services/loopback-server.ts';
import { startNfs, startPortmap } from '../../harness/services/nfs/server.ts';
import { openTree } from '../../harness/services/tree/served-tree.ts';
import { mount, nfs, parseReply, portmap } from '../../harness/wire/codecs/rpc.ts';
import { opaque, readXdr, uint32s, words } from '../../harness/wire/codecs/xdr.ts';
import { randomFrom } from '../../harness/wire/faults/random.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { capturedFrames } from './captured.ts';
import { call, RpcClient, record, text } from './rpc-client.ts';

const statuses = { ok: 0, absent: 2, io: 5, accessDenied: 13, notFolder: 20, isFolder: 21, stale: 70 };
/** As long as the recorded one. */
const script = '#!ipxe\n'.padEnd(55, '#');
const big = randomBytes(300_001);
const events: UntimedEvent[] = [];
const emit = (event: UntimedEvent) => void events.push(event);
const folder = folderOfFile();
let servers: { portmap: RunningServer; nfs: RunningServer };
let client: RpcClient;

beforeAll(async () => {
  await writeFile(join(folder, 'big'), big);
  await symlink('/etc/passwd', join(folder, 'way-out'));
  const tree = openTree({
    'boot.ipxe': { text: script },
    'grub/x86/grub.cfg': { text: 'set timeout=0\n' },
    linux: { path: join(folder, 'big') },
    empty: { text: '' },
    moved: { redirect: 'linux' },
    folder: { path: folder },
    ...Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`file-${index}`, { text: `${index}` }])),
  });
  servers = { portmap: await startPortmap({ emit }), nfs: await startNfs({ tree, emit }) };
});
afterAll(async () => {
  await Promise.all([servers.portmap.close(), servers.nfs.close()]);
});
beforeEach(async () => {
  events.length = 0;
  client = await RpcClient.open(servers.nfs.port);
});
afterEach(() => client.close());

const { procedures } = nfs;
const nfsCall = (procedure: number, ...args: Buffer[]) => client.results(nfs.program, nfs.version, procedure, ...args);

async function mountPath(path: string): Promise<{ status: number; handle: Buffer }> {
  const results = await client.results(mount.program, mount.version, mount.procedures.mount, text(path));
  return { status: results.uint32(), handle: results.opaque(64) };
}

async function lookup(handle: Buffer, name: string): Promise<{ status: number; handle: Buffer }> {
  const results = await nfsCall(procedures.lookup, opaque(handle), text(name));
  const status = results.uint32();
  return { status, handle: status === 0 ? results.opaque(64) : Buffer.alloc(0) };
}

async function open(path: string): Promise<Buffer> {
  const at = path.lastIndexOf('/');
  const { handle } = await mountPath(`/netboot/${path.slice(0, Math.max(0, at))}`);
  return (await lookup(handle, path.slice(at + 1))).handle;
}

async function read(handle: Buffer, offset: number, bytes: number) {
  const results = await nfsCall(procedures.read, opaque(handle), uint32s(...words(offset), bytes));
  const status = results.uint32();
  if (status !== 0) return { status, isEnd: false, data: Buffer.alloc(0) };
  results.skip(4 + 84);
  const count = results.uint32();
  const isEnd = results.uint32() === 1;
  const data = results.opaque(1 << 20);
  expect(data.length).toBe(count);
  return { status, isEnd, data };
}

/** Size as GETATTR reports it. */
async function sizeOf(handle: Buffer): Promise<number> {
  const results = await nfsCall(procedures.getAttributes, opaque(handle));
  expect(results.uint32()).toBe(statuses.ok);
  results.skip(20);
  return results.uint64();
}

test("iPXE's own calls, as recorded, fetch a script", async () => {
  const calls = capturedFrames().filter(({ from, payload }) => from === 'guest' && payload.length > 0);
  const recorded = capturedFrames().filter(({ from, payload }) => from === 'server' && payload.length > 0);
  const map = await RpcClient.open(servers.portmap.port);
  const answers: Buffer[] = [];
  // The handles in the recorded calls are the recorded server's: each is put in place of where it was learned.
  const renamed = new Map<string, Buffer>();
  for (const { payload, serverPort } of calls) {
    const sent = Buffer.from(payload);
    for (const [old, fresh] of renamed) {
      const at = sent.indexOf(Buffer.from(old, 'hex'));
      if (at >= 0) fresh.copy(sent, at);
    }
    const peer = serverPort === 111 ? map : client;
    peer.send(sent);
    const answer = (await peer.next())!;
    answers.push(answer);
    const xid = answer.readUInt32BE(0);
    const before = recorded.find(({ payload: reply }) => reply.readUInt32BE(4) === xid)!.payload.subarray(4);
    // Same lengths and meanings as what iPXE took: only the handles differ.
    expect(answer.length).toBe(before.length);
    const [old, fresh] = [parseReply(before)!.results, parseReply(answer)!.results];
    if (old.uint32() === 0 && fresh.uint32() === 0) {
      const [was, is] = [old.opaque(64), fresh.opaque(64)];
      if (was.length === 16) renamed.set(was.toString('hex'), is);
    }
  }
  map.close();
  expect(renamed.size).toBe(2);
  expect(answers.some((answer) => answer.includes(script))).toBe(true);
  expect(events).toEqual([
    { source: 'nfs', type: 'served', file: 'boot.ipxe', bytes: Buffer.byteLength(script), ms: expect.any(Number) },
  ]);
});

describe('files', () => {
  test.each([100_000, 4096, 131_072])('arrive whole in reads of %i bytes', async (bytes) => {
    const handle = await open('linux');
    expect(await sizeOf(handle)).toBe(big.length);
    const pieces: Buffer[] = [];
    for (let offset = 0, isEnd = false; !isEnd; ) {
      const piece = await read(handle, offset, bytes);
      pieces.push(piece.data);
      offset += piece.data.length;
      isEnd = piece.isEnd;
    }
    expect(Buffer.concat(pieces).equals(big)).toBe(true);
    expect(events).toMatchObject([{ source: 'nfs', file: 'linux', bytes: big.length }]);
  });

  test('below folders are found from the folder, and from the export where a host folder is served', async () => {
    expect((await read(await open('grub/x86/grub.cfg'), 0, 100)).data.toString()).toBe('set timeout=0\n');
    expect(await sizeOf(await open('folder/big'))).toBe(big.length);
  });

  test('may be empty', async () => {
    expect(await read(await open('empty'), 0, 100)).toEqual({ status: 0, isEnd: true, data: Buffer.alloc(0) });
  });

  test('end where they end, whatever is asked for', async () => {
    const handle = await open('boot.ipxe');
    for (const offset of [script.length, 2 ** 32, 2 ** 53]) {
      expect(await read(handle, offset, 0xffff_ffff)).toEqual({ status: 0, isEnd: true, data: Buffer.alloc(0) });
    }
    expect((await read(await open('linux'), 0, 0xffff_ffff)).data).toHaveLength(128 * 1024);
  });

  test('that change while they are read are an error, not a mixture', async () => {
    await writeFile(join(folder, 'changing'), 'a'.repeat(3 << 20));
    const handle = await open('folder/changing');
    await writeFile(join(folder, 'changing'), 'b'.repeat(2 << 20));
    expect((await read(handle, 0, 100)).status).toBe(statuses.io);
    expect(events).toMatchObject([{ file: 'folder/changing', bytes: 0, note: expect.stringContaining('changed') }]);
  });
});

describe('names', () => {
  test.each([
    ['/', statuses.absent],
    ['', statuses.absent],
    ['/etc', statuses.absent],
    ['/netbooty', statuses.absent],
    ['/netboot/../etc', statuses.accessDenied],
    ['/netboot/..', statuses.accessDenied],
    ['/netboot/a\\b', statuses.accessDenied],
    ['/netboot/a\0b', statuses.accessDenied],
    ['/netboot', statuses.ok],
    ['//netboot//folder/', statuses.ok],
  ])('mounting %j is answered with %i', async (path, status) => {
    expect((await mountPath(path)).status).toBe(status);
  });

  test.each([
    ['nothing', statuses.absent],
    ['grub', statuses.absent],
    ['moved', statuses.absent],
    ['..', statuses.accessDenied],
    ['../etc/passwd', statuses.accessDenied],
    ['grub/x86/grub.cfg', statuses.accessDenied],
    ['', statuses.accessDenied],
    ['a\0b', statuses.accessDenied],
  ])('looking up %j is answered with %i', async (name, status) => {
    const { handle } = await mountPath('/netboot');
    expect((await lookup(handle, name)).status).toBe(status);
  });

  test('a symbolic link below a served folder leads nowhere', async () => {
    const { handle } = await mountPath('/netboot/folder');
    expect((await lookup(handle, 'way-out')).status).toBe(statuses.accessDenied);
    expect(events).toMatchObject([{ file: 'folder/way-out', note: expect.stringContaining('symbolic link') }]);
  });
});

describe('handles', () => {
  test('not made here are stale', async () => {
    for (const handle of [randomBytes(16), Buffer.alloc(0), randomBytes(64)]) {
      expect((await lookup(handle, 'boot.ipxe')).status).toBe(statuses.stale);
      expect((await read(handle, 0, 10)).status).toBe(statuses.stale);
      expect((await nfsCall(procedures.getAttributes, opaque(handle))).uint32()).toBe(statuses.stale);
      expect((await nfsCall(procedures.fsInfo, opaque(handle))).uint32()).toBe(statuses.stale);
    }
  });

  test('are the same for the same file, and of their own kind', async () => {
    const file = await open('linux');
    expect((await open('linux')).equals(file)).toBe(true);
    expect((await lookup(file, 'x')).status).toBe(statuses.notFolder);
    expect((await read((await mountPath('/netboot')).handle, 0, 10)).status).toBe(statuses.isFolder);
  });

  test('are few: the one used longest ago goes stale', async () => {
    const first = await open('file-0');
    const root = (await mountPath('/netboot')).handle;
    for (let index = 1; index < 70; index++) expect((await lookup(root, `file-${index}`)).status).toBe(statuses.ok);
    expect((await read(first, 0, 10)).status).toBe(statuses.stale);
    expect((await read(await open('file-69'), 0, 10)).data.toString()).toBe('69');
  });
});

test('ACCESS grants reading and nothing else', async () => {
  const results = await nfsCall(procedures.access, opaque(await open('linux')), uint32s(0x3f));
  expect(results.uint32()).toBe(statuses.ok);
  results.skip(4 + 84);
  expect(results.uint32()).toBe(0x23);
});

describe('the port mapper', () => {
  const tcp = 6;
  const udp = 17;
  test.each([
    [mount.program, 3, tcp, 2049],
    [nfs.program, 3, tcp, 2049],
    [nfs.program, 4, tcp, 0],
    [nfs.program, 3, udp, 0],
    [100_021, 4, tcp, 0],
  ])('tells for program %i, version %i, protocol %i: port %i', async (program, version, protocol, port) => {
    const map = await RpcClient.open(servers.portmap.port);
    const args = uint32s(program, version, protocol, 0);
    const results = await map.results(portmap.program, portmap.version, portmap.procedures.getPort, args);
    expect(results.uint32()).toBe(port);
    map.close();
  });
});

describe('calls that cannot be served are answered as RFC 5531 says', () => {
  /** Everything behind the xid. */
  const replyTo = async (bytes: Buffer) => {
    client.send(record(bytes));
    return (await client.next())!.subarray(4);
  };
  const accepted = (...status: number[]) => uint32s(1, 0, 0, 0, ...status);

  test.each([
    ['a program that is not here', call(1, 100_021, 4, 0), accepted(1)],
    ['a version of NFS that is not spoken', call(1, nfs.program, 4, 0), accepted(2, 3, 3)],
    ['a procedure that is not served', call(1, nfs.program, 3, 7), accepted(3)],
    ['arguments that end too soon', call(1, nfs.program, 3, 3, uint32s(16)), accepted(4)],
    ['a handle that is too long', call(1, nfs.program, 3, 1, opaque(Buffer.alloc(68))), accepted(4)],
    [
      'another version of RPC',
      Buffer.concat([uint32s(1, 0, 3), call(1, nfs.program, 3, 0).subarray(12)]),
      uint32s(1, 1, 0, 2, 2),
    ],
    ['a credential that is not understood', uint32s(1, 0, 2, nfs.program, 3, 0, 6, 0, 0, 0), uint32s(1, 1, 1, 5)],
  ])('%s', async (_, bytes, reply) => {
    expect((await replyTo(bytes)).toString('hex')).toBe(reply.toString('hex'));
  });
});

describe('streams', () => {
  const ping = (xid: number) => call(xid, nfs.program, 3, 0);
  const xidOf = async () => (await client.next())?.readUInt32BE(0);

  test('many calls at once are answered in order', async () => {
    client.send(Buffer.concat([1, 2, 3, 4, 5].map((xid) => record(ping(xid)))));
    for (const xid of [1, 2, 3, 4, 5]) expect(await xidOf()).toBe(xid);
  });

  test('a call may come in fragments', async () => {
    const bytes = ping(9);
    const fragments = [bytes.subarray(0, 5), bytes.subarray(5, 30)].map((part) =>
      Buffer.concat([uint32s(part.length), part]),
    );
    client.send(Buffer.concat([...fragments, record(bytes.subarray(30))]));
    expect(await xidOf()).toBe(9);
  });

  test.each([
    ['a record that is too long', uint32s(0x8000_1001)],
    [
      'fragments that add up to too much',
      Buffer.concat(Array.from({ length: 5 }, () => Buffer.concat([uint32s(1000), Buffer.alloc(1000)]))),
    ],
    ['an empty fragment', uint32s(0)],
    ['a reply', record(uint32s(1, 1, 0, 0, 0, 0))],
    ['a call that is too short', record(uint32s(1, 0, 2))],
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('%s ends the connection, and only that', async (_, bytes) => {
    client.send(bytes);
    expect(await client.next()).toBeUndefined();
    expect(events).toMatchObject([{ source: 'wire', type: 'malformed', layer: 'rpc' }]);
    client = await RpcClient.open(servers.nfs.port);
    client.send(record(ping(7)));
    expect(await xidOf()).toBe(7);
  });

  test('recorded calls with bytes changed at random never end the server', async () => {
    const random = randomFrom(11);
    const calls = capturedFrames().filter(({ from, payload }) => from === 'guest' && payload.length > 0);
    for (let round = 0; round < 100; round++) {
      const peer = await RpcClient.open(servers.nfs.port);
      for (const { payload } of calls) {
        const changed = Buffer.from(payload);
        for (let count = 0; count < 3; count++) changed[Math.floor(random() * changed.length)] = random() * 256;
        peer.send(changed);
      }
      peer.close();
    }
    client.send(record(ping(8)));
    expect(await xidOf()).toBe(8);
  });
});

test('closing the server ends its connections', async () => {
  const other = await startNfs({ tree: openTree({}), emit });
  const peer = await RpcClient.open(other.port);
  await other.close();
  expect(await peer.next()).toBeUndefined();
});

test('lengths in XDR are not trusted', () => {
  const reader = readXdr(uint32s(0xffff_ffff, 1));
  expect(reader.opaque(0xffff_ffff)).toHaveLength(0);
  expect([reader.short, reader.uint32()]).toEqual([true, 0]);
});
