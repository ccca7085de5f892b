import { afterEach, expect, it } from 'vitest';
import { tableBounds } from '../../harness/model/bounds.ts';
import { startTftpForward } from '../../harness/services/relay/tftp-forward.ts';
import { encodeError, errorCodes, parseTftp } from '../../harness/wire/codecs/tftp.ts';
import { encodeAck, encodeData, encodeRequest } from '../tftp/client-packets.ts';
import { createManualClock } from '../tftp/manual-clock.ts';
import { openHostSocket } from './host-socket.ts';
import { createMemoryWire, guest } from './memory-wire.ts';

const request = (file = 'snponly.efi', kind: 'rrq' | 'wrq' = 'rrq') =>
  encodeRequest({ kind, file, mode: 'octet', options: new Map([['tsize', '0']]) });

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0).reverse()) one.close();
});
const track = <T extends { close(): void }>(one: T): T => {
  opened.push(one);
  return one;
};

async function start() {
  const server = track(await openHostSocket());
  const wire = createMemoryWire();
  const clock = createManualClock();
  let fail = (_message: string): void => {};
  const failure = new Promise<string>((resolve) => {
    fail = resolve;
  });
  const to = { host: '127.0.0.1', port: server.port };
  const forward = { service: 'tftp' as const, address: '10.0.2.3', port: 69, to };
  track(startTftpForward(wire.udp, forward, { emit: () => {}, clock, onFailure: fail }));
  return { server, wire, clock, failure };
}

it('leads a transfer through: each side knows the other by a transfer ID', async () => {
  const { server, wire } = await start();
  wire.deliver(guest, 69, request());
  const asked = await server.next();
  expect(asked.payload).toEqual(request());
  const transfer = track(await openHostSocket());
  await transfer.send(encodeData(1, Buffer.alloc(512, 1)), asked.from);
  const first = await wire.next();
  expect(first).toMatchObject({ to: guest, payload: encodeData(1, Buffer.alloc(512, 1)) });
  expect(first.fromPort).not.toBe(69);
  wire.deliver(guest, first.fromPort, encodeAck(1));
  const acknowledged = await transfer.next();
  expect(acknowledged).toEqual({ payload: encodeAck(1), from: asked.from });
  await transfer.send(encodeData(2, Buffer.from('end')), asked.from);
  expect((await wire.next()).payload).toEqual(encodeData(2, Buffer.from('end')));
});

it('takes a server that answers from the port it listens on', async () => {
  const { server, wire } = await start();
  wire.deliver(guest, 69, request());
  const { from } = await server.next();
  await server.send(encodeData(1, Buffer.from('x')), from);
  const { fromPort } = await wire.next();
  wire.deliver(guest, fromPort, encodeAck(1));
  expect(await server.next()).toEqual({ payload: encodeAck(1), from });
});

it('lets no other port of the host, and no other of the guest, into a transfer', async () => {
  const { server, wire } = await start();
  wire.deliver(guest, 69, request());
  const { from } = await server.next();
  const [transfer, stranger] = [track(await openHostSocket()), track(await openHostSocket())];
  await transfer.send(encodeData(1, Buffer.from('right')), from);
  const { fromPort } = await wire.next();
  await stranger.send(encodeData(1, Buffer.from('wrong')), from);
  await transfer.send(encodeData(2, Buffer.from('right')), from);
  expect((await wire.next()).payload).toEqual(encodeData(2, Buffer.from('right')));
  wire.deliver({ ...guest, port: 2071 }, fromPort, encodeAck(7));
  wire.deliver(guest, fromPort, encodeAck(2));
  expect((await transfer.next()).payload).toEqual(encodeAck(2));
});

it('asks again only until there is an answer, and anew once the guest has taken it', async () => {
  const { server, wire } = await start();
  wire.deliver(guest, 69, request());
  const first = await server.next();
  wire.deliver(guest, 69, request());
  expect((await server.next()).from).toEqual(first.from);
  const transfer = track(await openHostSocket());
  await transfer.send(encodeData(1, Buffer.alloc(512)), first.from);
  const { fromPort } = await wire.next();
  wire.deliver(guest, 69, request());
  wire.deliver(guest, fromPort, encodeAck(1));
  expect((await transfer.next()).payload).toEqual(encodeAck(1));
  wire.deliver(guest, 69, request());
  const again = await server.next();
  expect(again.from).not.toEqual(first.from);
});

it('refuses to write, and hears nothing but requests', async () => {
  const { server, wire } = await start();
  wire.deliver(guest, 69, request('evil', 'wrq'));
  const { payload } = await wire.next();
  expect(parseTftp(payload)).toMatchObject({ kind: 'error', code: errorCodes.accessViolation });
  wire.deliver(guest, 69, encodeAck(1));
  wire.deliver(guest, 69, Buffer.from('?'));
  wire.deliver(guest, 69, request('good'));
  expect((await server.next()).payload).toEqual(request('good'));
});

it('an error of either side ends the transfer and reaches the other', async () => {
  const { server, wire } = await start();
  wire.deliver(guest, 69, request());
  const { from } = await server.next();
  const transfer = track(await openHostSocket());
  await transfer.send(encodeData(1, Buffer.alloc(512)), from);
  const { fromPort } = await wire.next();
  wire.deliver(guest, fromPort, encodeError(errorCodes.undefined, 'User aborted'));
  expect((await transfer.next()).payload).toEqual(encodeError(errorCodes.undefined, 'User aborted'));
  wire.deliver(guest, 69, request('missing'));
  const missing = await server.next();
  await server.send(encodeError(errorCodes.notFound, 'File not found'), missing.from);
  expect(parseTftp((await wire.next()).payload)).toMatchObject({ kind: 'error', code: errorCodes.notFound });
  // The listener alone is left.
  expect(wire.udp.openPorts()).toEqual([69]);
});

it('has so many transfers at once and no more, until one is idle', async () => {
  const { server, wire, clock } = await start();
  for (let port = 3000; port < 3000 + tableBounds.tftpTransfers; port++)
    wire.deliver({ ...guest, port }, 69, request());
  for (let at = 0; at < tableBounds.tftpTransfers; at++) await server.next();
  wire.deliver({ ...guest, port: 4000 }, 69, request());
  const refused = await wire.next();
  expect(refused.to.port).toBe(4000);
  expect(parseTftp(refused.payload)).toMatchObject({ kind: 'error', message: 'Too many transfers' });
  clock.advance(5_001);
  wire.deliver({ ...guest, port: 4001 }, 69, request('later'));
  expect((await server.next()).payload).toEqual(request('later'));
});

it('could not tell where nothing listens', async () => {
  const { server, wire, failure } = await start();
  server.close();
  opened.shift();
  wire.deliver(guest, 69, request());
  expect(await failure).toBe(
    `the TFTP server at 127.0.0.1:${server.port} (UDP): nothing listens there (connection refused)`,
  );
});
