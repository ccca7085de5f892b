import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkServerIdentity, connect, createServer } from 'node:tls';
import { expect, test } from 'vitest';
import type { Certificate } from '../../harness/model/certificate.ts';
import type { Plan } from '../../harness/model/plan.ts';
import { type Authorities, createAuthorities } from '../../harness/run/authorities.ts';
import { folderOfTest } from '../temporary-folder.ts';

const serverIp = '10.0.2.2';
const listHeaderBytes = 44;

let folder: string;
folderOfTest((made) => {
  folder = made;
});

const planWith = (certificate: Certificate): Plan =>
  ({ network: { serverIp }, tls: { certificate, authorityFile: 'authorities.esl' } }) as Plan;

/** What a client says that trusts exactly what was enrolled. */
async function verdictOf(authorities: Authorities, plan: Plan): Promise<string> {
  await authorities.enrol(plan, folder);
  const der = readFileSync(join(folder, 'authorities.esl')).subarray(listHeaderBytes);
  const ca = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
  const server = createServer(await authorities.certificate(plan)).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => {});
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  try {
    return await new Promise((resolve) => {
      const socket = connect({
        host: '127.0.0.1',
        port,
        ca,
        checkServerIdentity: (_, certificate) => checkServerIdentity(serverIp, certificate),
      });
      socket
        .once('secureConnect', () => resolve('trusted'))
        .once('error', (error) => resolve(String((error as NodeJS.ErrnoException).code)));
    });
  } finally {
    server.close();
  }
}

test('each kind of certificate is refused for its own reason, and the valid one is not', async () => {
  const authorities = createAuthorities();
  expect(await verdictOf(authorities, planWith('valid'))).toBe('trusted');
  expect(await verdictOf(authorities, planWith('wrong-authority'))).toMatch(/UNABLE_TO|SELF_SIGNED/);
  expect(await verdictOf(authorities, planWith('wrong-name'))).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  expect(await verdictOf(authorities, planWith('expired'))).toBe('CERT_HAS_EXPIRED');
});

test('a run has one authority: what one case enrolled verifies the next case', async () => {
  const authorities = createAuthorities();
  const [first, second] = await Promise.all([
    authorities.certificate(planWith('valid')),
    authorities.certificate(planWith('valid')),
  ]);
  expect(first.cert).toBe(second.cert);
});
