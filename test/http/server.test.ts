import { randomBytes } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { startHttp } from '../../harness/services/http/server.ts';
import type { RunningServer } from '../../harness/services/loopback-server.ts';
import { openTree } from '../../harness/services/tree/served-tree.ts';
import { folderOfFile } from '../temporary-folder.ts';

const big = randomBytes(3_000_001);
const events: UntimedEvent[] = [];
const folder = folderOfFile();
let server: RunningServer;

beforeAll(async () => {
  await writeFile(join(folder, 'big'), big);
  // More than the kernel's socket buffers take.
  await writeFile(join(folder, 'huge'), '');
  await truncate(join(folder, 'huge'), 64 * 1024 * 1024);
  const entries = {
    huge: { path: join(folder, 'huge') },
    'boot/big.efi': { path: join(folder, 'big') },
    'short.efi': { path: join(folder, 'big'), truncateToBytes: 200_000 },
    'no-body': { text: 'never sent', truncateToBytes: 0 },
    'script.ipxe': { text: '0123456789' },
    empty: { text: '' },
    'with space': { text: 'space' },
    moved: { redirect: 'with space', status: 301 as const },
    away: { redirect: 'http://10.0.2.2/other' },
  };
  const tree = openTree(entries);
  server = await startHttp({ tree, emit: (event) => events.push(event) });
});
afterAll(async () => {
  await server.close();
});
beforeEach(() => {
  events.length = 0;
});

const get = (path: string, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${server.port}${path}`, { redirect: 'manual', ...init });

/** What comes back for raw bytes, until the server ends the connection. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

describe('GET and HEAD', () => {
  test('a file arrives whole, with length and type', async () => {
    const response = await get('/boot/big.efi');
    expect(Buffer.from(await response.arrayBuffer()).equals(big)).toBe(true);
    expect(response.headers.get('content-length')).toBe(String(big.length));
    expect(response.headers.get('content-type')).toBe('application/efi');
    await vi.waitFor(() => expect(events).toHaveLength(1));
    expect(events[0]).toMatchObject({
      method: 'GET',
      target: '/boot/big.efi',
      status: 200,
      bytes: big.length,
      tls: false,
    });
  });

  test('HEAD gives the same length and no body', async () => {
    const response = await get('/boot/big.efi', { method: 'HEAD' });
    expect(response.headers.get('content-length')).toBe(String(big.length));
    expect(await response.text()).toBe('');
    await vi.waitFor(() => expect(events).toMatchObject([{ method: 'HEAD', status: 200, bytes: 0 }]));
  });

  test.each([
    { path: '/with%20space', body: 'space' },
    { path: '//script.ipxe', body: '0123456789' },
    { path: '/script.ipxe?mac=52:54:00', body: '0123456789' },
    { path: '/empty', body: '' },
  ])('$path', async ({ path, body }) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(body);
  });

  test('one connection serves several requests', async () => {
    const requests = ['/script.ipxe', '/absent', '/empty'].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n`);
    const answers = await raw(`${requests.join('\r\n')}Connection: close\r\n\r\n`);
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200']);
  });
});

describe('ranges', () => {
  test.each([
    { range: 'bytes=2-4', status: 206, body: '234', contentRange: 'bytes 2-4/10' },
    { range: 'bytes=7-', status: 206, body: '789', contentRange: 'bytes 7-9/10' },
    { range: 'bytes=-3', status: 206, body: '789', contentRange: 'bytes 7-9/10' },
    { range: 'bytes=-30', status: 206, body: '0123456789', contentRange: 'bytes 0-9/10' },
    { range: 'bytes=8-100', status: 206, body: '89', contentRange: 'bytes 8-9/10' },
    { range: 'bytes=10-', status: 416, contentRange: 'bytes */10' },
    { range: 'bytes=-0', status: 416, contentRange: 'bytes */10' },
    { range: 'bytes=0-1,4-5', status: 200, body: '0123456789' },
    { range: 'bytes=4-2', status: 200, body: '0123456789' },
    { range: 'bytes=-', status: 200, body: '0123456789' },
    { range: 'lines=1-2', status: 200, body: '0123456789' },
  ])('$range', async ({ range, status, body, contentRange }) => {
    const response = await get('/script.ipxe', { headers: { range } });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-range')).toBe(contentRange ?? null);
    if (body !== undefined) expect(await response.text()).toBe(body);
  });

  test('a range across the pieces a file is read in', async () => {
    const response = await get('/boot/big.efi', { headers: { range: 'bytes=262100-524400' } });
    expect(Buffer.from(await response.arrayBuffer()).equals(big.subarray(262_100, 524_401))).toBe(true);
  });
});

describe('refusals', () => {
  test.each([
    { path: '/absent', status: 404 },
    { path: '/boot', status: 404 },
    { path: '/%2e%2e/%2e%2e/etc/passwd', status: 403 },
    { path: '/boot/..%2f..%2fetc%2fpasswd', status: 403 },
    { path: '/a%00b', status: 403 },
    { path: '/a%5cb', status: 403 },
    { path: '/%ff', status: 400 },
    { path: '/%', status: 400 },
  ])('$path', async ({ path, status }) => {
    const answered = await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answered).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(events).toMatchObject([{ status, note: expect.any(String) }]);
  });

  test('plain dots do not lead out either', async () => {
    expect(await raw('GET /../../etc/passwd HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 403 /);
  });

  test('writing', async () => {
    const response = await get('/script.ipxe', { method: 'PUT', body: 'x' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
  });

  test('what is not HTTP, and headers without end', async () => {
    expect(await raw('\x16\x03\x01\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect(await raw(`GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 400 /);
  });
});

describe('faults that a served file asks for', () => {
  test.each([
    { path: '/moved', status: 301, location: '/with%20space' },
    { path: '/away', status: 302, location: 'http://10.0.2.2/other' },
  ])('$path is elsewhere', async ({ path, status, location }) => {
    const response = await get(path);
    expect(response.status).toBe(status);
    expect(response.headers.get('location')).toBe(location);
  });

  test.each([
    { path: '/short.efi', promised: String(big.length), sent: 200_000 },
    { path: '/no-body', promised: '10', sent: 0 },
  ])('$path promises more than it sends', async ({ path, promised, sent }) => {
    const bytes = await new Promise<Buffer>((resolve) => {
      const socket = connect(server.port, '127.0.0.1');
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      resolve(buffer(socket));
    });
    const headEnd = bytes.indexOf('\r\n\r\n') + 4;
    expect(bytes.toString('latin1', 0, headEnd)).toContain(`Content-Length: ${promised}\r\n`);
    expect(bytes.length - headEnd).toBe(sent);
    expect(events).toMatchObject([{ status: 200, bytes: sent, note: expect.stringContaining('cut short') }]);
  });
});

test('a guest that leaves in the middle is reported, and costs nothing more', async () => {
  await new Promise<void>((resolve) => {
    const request = httpRequest({ port: server.port, host: '127.0.0.1', path: '/huge' }, (response) => {
      response.once('data', () => request.destroy());
    });
    request.on('error', () => {});
    request.on('close', () => resolve());
    request.end();
  });
  await vi.waitFor(() => expect(events).toMatchObject([{ status: 200, note: 'the guest closed the connection' }]));
});

test('a guest that stops reading is let go, and not said to have left', async () => {
  const silent: UntimedEvent[] = [];
  const tree = openTree({ huge: { path: join(folder, 'huge') } });
  const short = await startHttp({ tree, emit: (event) => silent.push(event), silenceMs: 300 });
  const stuck = connect(short.port, '127.0.0.1').on('error', () => {});
  stuck.write('GET /huge HTTP/1.1\r\nHost: x\r\n\r\n');
  const note = 'nothing went over the connection for 0.3 s';
  await vi.waitFor(() => expect(silent).toMatchObject([{ status: 200, note }]), { timeout: 10_000 });
  stuck.destroy();
  await short.close();
});

test('closing ends connections at once, idle ones and those that do not read', async () => {
  const tree = openTree({ big: { path: join(folder, 'huge') } });
  const closing = await startHttp({ tree, emit: () => {} });
  const idle = connect(closing.port, '127.0.0.1');
  const stuck = connect(closing.port, '127.0.0.1').on('error', () => {});
  stuck.write('GET /big HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise((resolve) => stuck.once('readable', resolve));
  const ended = new Promise((resolve) => idle.once('close', resolve));
  await closing.close();
  idle.resume();
  await ended;
  stuck.destroy();
});

describe('a connection that asks for much at once', () => {
  /** A server whose look-ups are counted, and wait until released. */
  async function start() {
    const waiting: (() => void)[] = [];
    const tree = openTree({ file: { text: 'content' } });
    let lookups = 0;
    const served: UntimedEvent[] = [];
    const counting = {
      async lookup(name: string) {
        lookups++;
        await new Promise<void>((resolve) => waiting.push(resolve));
        return tree.lookup(name);
      },
    };
    const running = await startHttp({ tree: counting, emit: (event) => served.push(event) });
    return { running, served, lookups: () => lookups, goOn: () => waiting.shift()?.() };
  }
  const get = (count: number) => 'GET /file HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(count);

  test('gets its answers one after the other', async () => {
    const { running, served, lookups, goOn } = await start();
    const socket = connect(running.port, '127.0.0.1');
    socket.write(get(5));
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    for (let answered = 1; answered <= 5; answered++) {
      await vi.waitFor(() => expect(lookups()).toBe(answered));
      goOn();
      await vi.waitFor(() => expect(received.split('content')).toHaveLength(answered + 1));
    }
    await vi.waitFor(() => expect(served).toHaveLength(5));
    socket.destroy();
    await running.close();
  });

  test('is closed where too much waits', async () => {
    const { running, lookups } = await start();
    const socket = connect(running.port, '127.0.0.1');
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(get(1000));
    await closed;
    expect(lookups()).toBeLessThanOrEqual(1);
    await running.close();
  });

  test('is one of few', async () => {
    const { running } = await start();
    const sockets = Array.from({ length: 40 }, () => connect(running.port, '127.0.0.1').on('error', () => {}));
    await vi.waitFor(() => expect(sockets.filter(({ closed }) => closed)).toHaveLength(40 - 16));
    for (const socket of sockets) socket.destroy();
    await running.close();
  });
});

test('a fault of the server ends its case, and nothing else', async () => {
  const seen: UntimedEvent[] = [];
  const lookup = () => Promise.reject(new Error('no tree'));
  const running = await startHttp({ tree: { lookup }, emit: (event) => seen.push(event) });
  await expect(fetch(`http://127.0.0.1:${running.port}/file`)).rejects.toThrow();
  await vi.waitFor(() =>
    expect(seen).toEqual([
      expect.objectContaining({
        type: 'infrastructure',
        message: expect.stringMatching(/^an HTTP request failed: .*no tree/),
      }),
    ]),
  );
  await running.close();
});
