import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { faultSchema } from '../../harness/model/faults.ts';
import { makeAuthority } from '../../harness/services/certificates/authority.ts';
import { serverFaults } from '../../harness/services/faults.ts';
import { type HttpServices, startHttp } from '../../harness/services/http/server.ts';
import type { RunningServer } from '../../harness/services/loopback-server.ts';
import { openTree } from '../../harness/services/tree/served-tree.ts';

const content = '0123456789'.repeat(100);
const events: UntimedEvent[] = [];
let server: RunningServer | undefined;
afterEach(async () => {
  await server?.close();
  events.length = 0;
});

const emit = (event: UntimedEvent) => void events.push(event);
const options = { now: () => 0, hasReached: () => false, emit };
const schemaOf = (faults: object[]) => faults.map((fault) => faultSchema.parse(fault));

async function start(faults: object[], services: Partial<HttpServices> = {}): Promise<RunningServer> {
  const tree = openTree({ 'a.efi': { text: content }, other: { text: 'other' } });
  const own = schemaOf(faults.map((fault) => ({ server: 'http', ...fault })));
  server = await startHttp({ tree, emit, faults: serverFaults('http', own, options), ...services });
  return server;
}

interface Got {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
  whole: boolean;
}

/** One request on a connection of its own; the body as far as it comes. */
function get(path: string, { method = 'GET', headers = {} } = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(
      { port: server?.port, host: '127.0.0.1', path, method, headers, agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', () => {});
        response.on('close', () =>
          resolve({
            ...{ status: response.statusCode ?? 0, headers: response.headers, whole: response.complete },
            body: Buffer.concat(parts).toString(),
          }),
        );
      },
    );
    asked.on('error', reject).end();
  });
}

/** All that comes back for raw bytes, until the server ends the connection. */
const raw = (bytes: string): Promise<string> => {
  const socket = connect(server?.port as number, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
};

const actions = () =>
  events.flatMap((event) => (event.type === 'fault' && event.source === 'http' ? [event.action] : []));

/** A clock that stands still, and whose timers never fire. */
function heldClock() {
  const timers = new Set<() => void>();
  const setTimer = (fn: () => void) => {
    timers.add(fn);
    return () => void timers.delete(fn);
  };
  return { timers, clock: { now: () => 0, setTimer } };
}

describe('an HTTP server with a fault', () => {
  test('refuses twice, then serves', async () => {
    await start([{ match: { file: '*.efi' }, of: { first: 2 }, status: 503 }]);
    expect((await get('/other')).status).toBe(200);
    const statuses = [await get('/a.efi'), await get('/a.efi'), await get('/a.efi')].map(({ status }) => status);
    expect(statuses).toEqual([503, 503, 200]);
    expect(events.filter(({ type }) => type === 'fault')).toEqual(
      [1, 2].map((count) => ({
        ...{ source: 'http', type: 'fault', fault: 0, action: 'status', what: 'GET /a.efi', count },
      })),
    );
  });

  test('says when to ask again', async () => {
    await start([{ of: { first: 1 }, status: 503, retryAfterSeconds: 2 }]);
    const [busy, served] = [await get('/a.efi'), await get('/a.efi')];
    expect([busy.status, busy.headers['retry-after']]).toEqual([503, '2']);
    expect([served.status, served.headers['retry-after']]).toEqual([200, undefined]);
    expect(actions()).toEqual(['status', 'retryAfterSeconds']);
  });

  test('refuses HEAD alone', async () => {
    await start([{ match: { method: 'HEAD' }, status: 405 }]);
    expect([(await get('/a.efi', { method: 'HEAD' })).status, (await get('/a.efi')).status]).toEqual([405, 200]);
  });

  test('redirects to the same target, as often as was asked for', async () => {
    const { port } = await start([{ of: { first: 3 }, status: 302 }]);
    const followed = await fetch(`http://127.0.0.1:${port}/a.efi`);
    expect(await followed.text()).toBe(content);
    expect(actions()).toEqual(['status', 'status', 'status']);
    await server?.close();
    const { port: loop } = await start([{ status: 301 }]);
    await expect(fetch(`http://127.0.0.1:${loop}/a.efi`)).rejects.toThrow();
  });

  test.each([
    ['none', undefined, undefined],
    ['chunked', undefined, 'chunked'],
  ])('leaves out the length: %s', async (contentLength, length, encoding) => {
    await start([{ contentLength }]);
    const { headers, body } = await get('/a.efi');
    expect([headers['content-length'], headers['transfer-encoding'], body]).toEqual([length, encoding, content]);
  });

  test.each([5, -5])('is wrong about the length by %i', async (offBy) => {
    await start([{ contentLength: { offBy } }]);
    const answer = await raw('GET /a.efi HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(answer).toContain(`Content-Length: ${content.length + offBy}\r\n`);
    expect(answer.endsWith(`\r\n\r\n${content}`)).toBe(true);
  });

  test('closes the connection after the first bytes, and serves the rest', async () => {
    await start([{ of: { first: 1 }, truncateToBytes: 300 }]);
    expect(await get('/a.efi')).toMatchObject({ body: content.slice(0, 300), whole: false });
    const rest = await get('/a.efi', { headers: { Range: 'bytes=300-' } });
    expect(rest).toMatchObject({ status: 206, body: content.slice(300), whole: true });
    expect(actions()).toEqual(['truncateToBytes']);
  });

  test('sends the whole file though a part was asked for', async () => {
    await start([{ ignoreRange: true }]);
    const { status, body, headers } = await get('/a.efi', { headers: { Range: 'bytes=300-' } });
    expect([status, body, headers['accept-ranges']]).toEqual([200, content, undefined]);
    await get('/a.efi');
    expect(actions()).toEqual(['ignoreRange']);
  });

  test('sends slowly', async () => {
    await start([{ bytesPerSecond: 4000 }]);
    const startedMs = performance.now();
    expect((await get('/a.efi')).body).toBe(content);
    // Two pieces after 100 ms each, and half a piece after 50.
    expect(performance.now() - startedMs).toBeGreaterThan(200);
  });

  test('answers late', async () => {
    await start([{ of: { first: 1 }, delayMs: 60_000 }], {
      clock: {
        now: () => 0,
        setTimer: (fn, ms) => {
          emit({ source: 'run', type: 'fault', text: `${ms}` });
          fn();
          return () => {};
        },
      },
    });
    expect((await get('/a.efi')).body).toBe(content);
    expect(events).toContainEqual({ source: 'run', type: 'fault', text: '60000' });
  });

  test('answers later than a connection may be silent', async () => {
    await start([{ delayMs: 900 }], { silenceMs: 300 });
    expect((await get('/a.efi')).body).toBe(content);
    expect(events.at(-1)).toEqual(expect.not.objectContaining({ note: expect.anything() }));
    expect(actions()).toEqual(['delayMs']);
  });

  test('meets nothing more once the guest has left during a delay', async () => {
    const { clock, timers } = heldClock();
    const rest = { status: 503, retryAfterSeconds: 1 };
    await start([{ delayMs: 5000 }, rest, { contentLength: 'chunked', bytesPerSecond: 100 }], { clock });
    const guest = connect(server?.port as number, '127.0.0.1');
    guest.write('GET /a.efi HTTP/1.1\r\nHost: x\r\n\r\n');
    await vi.waitFor(() => expect(timers.size).toBe(1));
    guest.destroy();
    const served = { type: 'served', bytes: 0, note: 'the guest closed the connection' };
    await vi.waitFor(() => expect(events.at(-1)).toMatchObject(served));
    expect(actions()).toEqual(['delayMs']);
  });

  test('is late no longer than the server runs', async () => {
    const { clock, timers } = heldClock();
    await start([{ delayMs: 600_000 }], { clock });
    const answer = get('/a.efi').catch(() => 'closed');
    await vi.waitFor(() => expect(timers.size).toBe(1));
    await server?.close();
    expect(await answer).toBe('closed');
    await vi.waitFor(() => expect(timers.size).toBe(0));
  });

  test.each([20_000, 20_000_000])('sends %i bytes in a second', async (bytesPerSecond) => {
    let nowMs = 0;
    const clock = {
      now: () => nowMs,
      setTimer(fn: () => void, ms: number) {
        nowMs += ms;
        setImmediate(fn);
        return () => {};
      },
    };
    const tree = openTree({ big: { text: 'x'.repeat(bytesPerSecond / 10) } });
    await start([{ bytesPerSecond }], { clock, tree });
    expect((await get('/big')).body).toHaveLength(bytesPerSecond / 10);
    expect(nowMs).toBeCloseTo(100, 6);
    expect(actions()).toEqual(['bytesPerSecond']);
  });

  test.each([1, 100, 1000])('sends %i bytes slowly, however few: none before its time', async (bytes) => {
    const waits: (() => void)[] = [];
    let nowMs = 0;
    const clock = {
      now: () => nowMs,
      setTimer(fn: () => void, ms: number) {
        waits.push(() => {
          nowMs += ms;
          fn();
        });
        return () => {};
      },
    };
    await start([{ bytesPerSecond: 1000 }], { clock, tree: openTree({ few: { text: 'x'.repeat(bytes) } }) });
    const socket = connect(server?.port as number, '127.0.0.1');
    let got = '';
    socket.on('data', (part) => (got += part));
    socket.write('GET /few HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const sent = () => got.slice(got.indexOf('\r\n\r\n') + 4).length;
    for (let due = Math.min(100, bytes); sent() < bytes; due = Math.min(due + 100, bytes)) {
      await vi.waitFor(() => expect(waits).toHaveLength(1));
      expect(sent()).toBeLessThan(due);
      waits.pop()?.();
      await vi.waitFor(() => expect(sent()).toBe(due));
      expect(nowMs).toBeCloseTo(due, 6);
    }
    expect(actions()).toEqual(['bytesPerSecond']);
  });

  test('slows no body that is empty', async () => {
    await start([{ bytesPerSecond: 100, truncateToBytes: 0 }]);
    await get('/a.efi');
    expect(actions()).toEqual(['truncateToBytes']);
  });

  test.each<[object, string, object]>([
    [{ truncateToBytes: 300 }, 'HEAD', {}],
    [{ truncateToBytes: 300 }, 'GET', { Range: 'bytes=0-99' }],
    [{ truncateToBytes: 300 }, 'GET /missing', {}],
    [{ bytesPerSecond: 1000 }, 'HEAD', {}],
    [{ contentLength: 'chunked' }, 'GET /missing', {}],
    [{ status: 404 }, 'GET /missing', {}],
    [{ ignoreRange: true }, 'GET', {}],
    [{ ignoreRange: true }, 'GET', { Range: 'bytes=0-99', 'If-Range': '"x"' }],
    [{ closeAfterwards: true }, 'GET', { Connection: 'close' }],
  ])('%j waits for a request that it can do something to, not %s with %j', async (fault, asked, headers) => {
    await start([{ of: { first: 1 }, ...fault }]);
    const [method, path = '/a.efi'] = asked.split(' ');
    await get(path, { method: method as string, headers });
    expect(actions()).toEqual([]);
    await get('/a.efi', { headers: { Range: 'bytes=0-899', Connection: 'keep-alive' } });
    expect(actions()).toEqual(Object.keys(fault));
  });

  test('does not answer', async () => {
    await start([{ match: { file: 'other' }, silent: true }]);
    const answer = get('/other').catch(() => 'closed');
    await vi.waitFor(() => expect(actions()).toEqual(['silent']));
    expect((await get('/a.efi')).status).toBe(200);
    await server?.close();
    expect(await answer).toBe('closed');
  });

  test.each<[string, object, string]>([
    ['GET /a.efi', {}, content],
    ['HEAD /a.efi', {}, '\r\n\r\n'],
    ['GET /missing', {}, 'not-found\n'],
    ['GET /a.efi', { status: 503 }, 'fault\n'],
    ['GET /a.efi', { contentLength: 'chunked' }, '\r\n0\r\n\r\n'],
  ])('closes a connection that it said would be kept: %s %j', async (target, more, end) => {
    await start([{ closeAfterwards: true, ...more }]);
    const answer = await raw(`${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(answer).toMatch(/Connection: keep-alive/i);
    expect(answer.endsWith(end)).toBe(true);
    expect(actions()).toContain('closeAfterwards');
  });

  test('closes one that it said would be closed, and has met nothing', async () => {
    await start([{ contentLength: 'none', closeAfterwards: true }]);
    expect((await raw('GET /a.efi HTTP/1.1\r\nHost: x\r\n\r\n')).endsWith(content)).toBe(true);
    expect(actions()).toEqual(['contentLength']);
  });
});

describe('an HTTPS server with a fault', async () => {
  const authority = await makeAuthority();
  const own = await authority.issue({ ip: ['127.0.0.1'] });
  const expired = await authority.issue({ ip: ['127.0.0.1'], expired: true });
  const startTls = (...faults: object[]) =>
    start([], {
      tls: own,
      tlsFaults: {
        faults: serverFaults('tls', schemaOf(faults.map((fault) => ({ server: 'tls', ...fault }))), options),
        certificates: { expired },
      },
    });
  const ask = () =>
    new Promise<string>((resolve) => {
      httpsRequest(
        { host: '127.0.0.1', port: server?.port, path: '/other', ca: authority.pem, agent: false },
        (response) => resolve(text(response)),
      )
        .on('error', (error) => resolve(error.message))
        .end();
    });

  test('answers a handshake with an alert', async () => {
    await startTls({ of: { first: 1 }, alert: 'handshakeFailure' });
    expect(await ask()).toMatch(/handshake failure/i);
    expect(await ask()).toBe('other');
    expect(actions()).toEqual(['alert']);
  });

  test('has its certificate expire between two connections', async () => {
    await startTls({ of: { nth: 2 }, certificate: 'expired' });
    expect([await ask(), await ask(), await ask()]).toEqual(['other', 'certificate has expired', 'other']);
  });

  /** Content types of the records that a server sent (RFC 5246 §6.2.1), which TLS 1.2 does not hide. */
  function recordTypes(sent: Buffer): number[] {
    const types: number[] = [];
    for (let at = 0; at + 5 <= sent.length; at += 5 + sent.readUInt16BE(at + 3)) types.push(sent[at] as number);
    return types;
  }

  test.each([
    [{ truncateToBytes: 300 }, 21, ['truncateToBytes']],
    [{ truncateToBytes: 300, withoutCloseNotify: true }, 23, ['truncateToBytes', 'withoutCloseNotify']],
  ])('ends in the middle of a body, with or without close_notify: %j', async (fault, last, met) => {
    await start([fault], { tls: own });
    const sent: Buffer[] = [];
    const between = createServer((client) => {
      const upstream = connect(server?.port as number, '127.0.0.1');
      upstream.on('data', (part: Buffer) => sent.push(part));
      client.pipe(upstream).pipe(client);
      for (const socket of [client, upstream]) socket.on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(between, 'listening');
    const { port } = between.address() as AddressInfo;
    const asked = httpsRequest({
      ...{ host: '127.0.0.1', port, path: '/a.efi', ca: authority.pem, agent: false, maxVersion: 'TLSv1.2' },
    }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    let body = '';
    response.on('error', () => {}).on('data', (part) => (body += part));
    await new Promise((resolve) => response.once('close', resolve));
    expect([body, response.complete]).toEqual([content.slice(0, 300), false]);
    expect(recordTypes(Buffer.concat(sent)).at(-1)).toBe(last);
    expect(actions()).toEqual(met);
    between.close();
  });
});
