import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { startHttpForward } from '../../harness/services/relay/http-forward.ts';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function forwardTo(port: number) {
  let fail = (_message: string): void => {};
  const failure = new Promise<string>((resolve) => {
    fail = resolve;
  });
  const forward = { service: 'http' as const, address: '10.0.2.3', port: 80, to: { host: '127.0.0.1', port } };
  const running = await startHttpForward(forward, { emit: () => {}, onFailure: fail });
  opened.push(() => running.close());
  return { url: `http://127.0.0.1:${running.port}`, port: running.port, failure };
}

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

it('passes a request and its answer on, byte by byte', async () => {
  const body = Buffer.alloc(300_000, 'netboot');
  const { url } = await forwardTo(await serve((_, response) => void response.end(body)));
  const response = await fetch(`${url}/snponly.efi`);
  expect(response.headers.get('content-length')).toBe(String(body.length));
  expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
});

it('ends a connection that the server ends without a length', async () => {
  const { url } = await forwardTo(
    await serve((_, response) => {
      response.socket?.end('HTTP/1.0 200 OK\r\n\r\nto the end');
    }),
  );
  expect(await (await fetch(url)).text()).toBe('to the end');
});

it('could not tell where nothing listens, and resets the connection', async () => {
  const closed = createServer();
  closed.listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  const forward = await forwardTo(port);
  const guest = connect(forward.port, '127.0.0.1');
  const [error] = (await once(guest, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
  expect(await forward.failure).toBe(
    `the HTTP server at 127.0.0.1:${port} (TCP): nothing listens there (connection refused)`,
  );
});
