import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { HarnessError } from '../../model/errors.ts';

export interface CertificateRequest {
  /** Subject alternative names; a name other than the one in the URL makes a certificate for the wrong host. */
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  /** Its validity ended a month ago. */
  readonly expired?: boolean;
}

/** PEM. */
export interface ServerCertificate {
  readonly key: string;
  readonly cert: string;
}

/** A certificate authority made for one run. A second one is the wrong authority for the first one's guests. */
export interface Authority {
  readonly pem: string;
  /** DER, as firmware and iPXE take it. */
  readonly der: Buffer;
  issue(request: CertificateRequest): Promise<ServerCertificate>;
}

/** 2048-bit RSA and SHA-256: the one kind that every iPXE and edk2 build with TLS verifies. */
const newKey = ['-newkey', 'rsa:2048', '-nodes', '-sha256'];
const validDays = 30;

/**
 * Makes an authority with the `openssl` program; its key is never written outside a folder removed at once.
 * @throws HarnessError `missing-program` without `openssl`, `internal` where it fails.
 */
export async function makeAuthority(commonName = 'netboot-harness run authority'): Promise<Authority> {
  const made = await inFolder(async (folder) => {
    await openssl(folder, [
      ...['req', '-x509', ...newKey, '-keyout', 'key', '-out', 'cert', '-days', String(validDays)],
      ...['-subj', `/CN=${commonName}`, '-config', await configFile(folder)],
    ]);
    return readPair(folder);
  });
  return {
    pem: made.cert,
    der: new X509Certificate(made.cert).raw,
    issue: (request) => issue(made, request),
  };
}

/** Keeps the host's openssl.cnf, which differs between systems, out of it. */
async function configFile(folder: string): Promise<string> {
  const lines = [
    ...['[req]', 'distinguished_name = dn', 'x509_extensions = authority', '[dn]', '[authority]'],
    ...[
      'basicConstraints = critical,CA:TRUE',
      'keyUsage = critical,keyCertSign,cRLSign',
      'subjectKeyIdentifier = hash',
    ],
    ...['[ca]', 'default_ca = issuing', '[issuing]', 'database = database', 'new_certs_dir = .', 'policy = any'],
    ...['serial = serial', 'unique_subject = no', '[any]', 'commonName = supplied'],
  ];
  await writeFile(join(folder, 'config'), `${lines.join('\n')}\n`);
  return 'config';
}

function issue(authority: ServerCertificate, { dns = [], ip = [], expired = false }: CertificateRequest) {
  const names = [...dns.map((name) => `DNS:${name}`), ...ip.map((address) => `IP:${address}`)];
  const commonName = dns[0] ?? ip[0] ?? 'netboot-harness';
  const extensions = [
    ...['basicConstraints = critical,CA:FALSE', 'keyUsage = critical,digitalSignature,keyEncipherment'],
    ...['extendedKeyUsage = serverAuth', ...(names.length > 0 ? [`subjectAltName = ${names.join(',')}`] : [])],
  ];
  // From yesterday on: a guest's clock may be behind. `openssl ca` is the one command that dates freely in every version.
  const [startDay, endDay] = expired ? [-2 * validDays, -validDays] : [-1, validDays];
  return inFolder(async (folder) => {
    const config = await configFile(folder);
    await writeFile(join(folder, 'extensions'), `${extensions.join('\n')}\n`);
    await writeFile(join(folder, 'ca-cert'), authority.cert);
    await writeFile(join(folder, 'ca-key'), authority.key, { mode: 0o600 });
    await writeFile(join(folder, 'database'), '');
    await writeFile(join(folder, 'serial'), `00${randomBytes(8).toString('hex')}\n`);
    await openssl(folder, [
      ...['req', '-new', ...newKey, '-keyout', 'key', '-out', 'csr', '-subj', `/CN=${commonName}`, '-config', config],
    ]);
    await openssl(folder, [
      ...['ca', '-batch', '-notext', '-config', config, '-md', 'sha256', '-in', 'csr', '-out', 'cert'],
      ...['-cert', 'ca-cert', '-keyfile', 'ca-key', '-extfile', 'extensions'],
      ...['-startdate', dayFromNow(startDay), '-enddate', dayFromNow(endDay)],
    ]);
    return readPair(folder);
  });
}

/** As openssl wants it: YYYYMMDDHHMMSSZ. */
function dayFromNow(days: number): string {
  const date = new Date(Date.now() + days * 24 * 60 * 60 * 1000);
  return `${date.toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
}

async function readPair(folder: string): Promise<ServerCertificate> {
  const [key, cert] = await Promise.all([
    readFile(join(folder, 'key'), 'utf8'),
    readFile(join(folder, 'cert'), 'utf8'),
  ]);
  return { key, cert };
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'netboot-tls-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function openssl(cwd: string, args: readonly string[]): Promise<void> {
  const { failed, code, stderr } = await execa('openssl', args, {
    cwd,
    reject: false,
    stdin: 'ignore',
    timeout: 30_000,
  });
  if (!failed) return;
  if (code === 'ENOENT') {
    throw new HarnessError(
      'missing-program',
      'HTTPS cases need certificates, and the openssl program is not installed.',
      {
        hint: 'Install it: apt-get install openssl',
      },
    );
  }
  throw new HarnessError('internal', `openssl ${args[0]} failed: ${String(stderr).trim().slice(0, 500)}`);
}
