import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import {
  type Authority,
  type CertificateRequest,
  makeAuthority,
} from '../../harness/services/certificates/authority.ts';
import { efiSignatureList } from '../../harness/services/certificates/signature-list.ts';
import { startHttp } from '../../harness/services/http/server.ts';
import { openTree } from '../../harness/services/tree/served-tree.ts';

let authority: Authority;
let other: Authority;
beforeAll(async () => {
  [authority, other] = await Promise.all([makeAuthority(), makeAuthority()]);
}, 30_000);

/** A client that trusts `authority` asks a server with a certificate of `issuer`, by address. */
async function ask(issuer: Authority, certificate: CertificateRequest) {
  const events: UntimedEvent[] = [];
  const tls = await issuer.issue(certificate);
  const server = await startHttp({
    tree: openTree({ file: { text: 'secret' } }),
    emit: (e) => events.push(e),
    tls,
  });
  try {
    const body = await new Promise<string>((resolve, reject) => {
      request({ host: '127.0.0.1', port: server.port, path: '/file', ca: authority.pem, agent: false }, (response) =>
        resolve(text(response)),
      )
        .on('error', reject)
        .end();
    });
    await vi.waitFor(() => expect(events).not.toEqual([]));
    return { body, events };
  } finally {
    await server.close();
  }
}

describe('certificates', () => {
  test('a guest of the authority is served', async () => {
    const { body, events } = await ask(authority, { ip: ['127.0.0.1'], dns: ['boot.test'] });
    expect(body).toBe('secret');
    expect(events).toMatchObject([{ type: 'served', status: 200, tls: true }]);
  });

  test.each([
    {
      name: 'wrong name',
      issuer: () => authority,
      certificate: { ip: ['192.0.2.1'] },
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    },
    {
      name: 'expired',
      issuer: () => authority,
      certificate: { ip: ['127.0.0.1'], expired: true },
      code: 'CERT_HAS_EXPIRED',
    },
    {
      name: 'wrong authority',
      issuer: () => other,
      certificate: { ip: ['127.0.0.1'] },
      code: /SIGNATURE|LOCAL|VERIFY|FAILURE/,
    },
  ])('$name is refused by the guest', async ({ issuer, certificate, code }) => {
    await expect(ask(issuer(), certificate)).rejects.toMatchObject({ code: expect.stringMatching(code) });
  });

  test.each([
    ['of the authority', async () => authority.pem],
    ['of a server', async () => (await authority.issue({ ip: ['10.0.2.2', 'fd00::2'] })).cert],
  ])('%s is of the kind every firmware verifies, and was valid yesterday', async (_, pem) => {
    const certificate = new X509Certificate(await pem());
    const { publicKey } = certificate;
    expect([publicKey.asymmetricKeyType, publicKey.asymmetricKeyDetails?.modulusLength]).toEqual(['rsa', 2048]);
    // sha256WithRSAEncryption, 1.2.840.113549.1.1.11
    expect(certificate.raw.includes(Buffer.from('06092a864886f70d01010b', 'hex'))).toBe(true);
    expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now() - 23 * 60 * 60 * 1000);
    expect(certificate.verify(new X509Certificate(authority.pem).publicKey)).toBe(true);
  });

  test('no two have the same serial number', async () => {
    const serials = await Promise.all([1, 2, 3].map(async () => new X509Certificate((await authority.issue({})).cert)));
    expect(new Set(serials.map(({ serialNumber }) => serialNumber)).size).toBe(3);
  });

  test('the EFI signature list holds the certificate', () => {
    const list = efiSignatureList(authority.der);
    expect(list.subarray(0, 16).toString('hex')).toBe('a159c0a5e494a74a87b5ab155c2bf072');
    expect([list.readUInt32LE(16), list.readUInt32LE(20), list.readUInt32LE(24)]).toEqual([
      list.length,
      0,
      authority.der.length + 16,
    ]);
    expect(new X509Certificate(list.subarray(44)).ca).toBe(true);
  });
});

/** Alert 48 of RFC 5246 §7.2: level fatal, unknown_ca. */
const unknownCa = Buffer.from('15030300020230', 'hex');

/** As firmware refuses: a client's hello, and an alert in answer to the certificate; Node's own client has no such alert. */
async function refuseInHandshake(port: number): Promise<void> {
  const between = createServer((client: Socket) => {
    const server = connectTcp(port, '127.0.0.1');
    client.pipe(server, { end: false });
    server.once('data', () => server.end(unknownCa));
    server.once('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(between, 'listening');
  const { port: betweenPort } = between.address() as { port: number };
  await once(connectTls({ host: '127.0.0.1', port: betweenPort, maxVersion: 'TLSv1.2' }), 'error');
  between.close();
}

describe('a guest that refuses the certificate', () => {
  test.each([
    {
      when: 'in the handshake',
      leave: refuseInHandshake,
      reason: /unknown ca/,
    },
    {
      when: 'after it',
      leave: (port: number) => once(request({ host: '127.0.0.1', port, maxVersion: 'TLSv1.2' }).end(), 'error'),
      reason: /after the handshake/,
    },
  ])('$when is reported', async ({ leave, reason }) => {
    const events: UntimedEvent[] = [];
    const tls = await authority.issue({ ip: ['127.0.0.1'] });
    const server = await startHttp({ tree: openTree({}), emit: (event) => events.push(event), tls });
    await leave(server.port);
    await vi.waitFor(() =>
      expect(events).toMatchObject([{ type: 'tls-refused', reason: expect.stringMatching(reason) }]),
    );
    await server.close();
  });
});
