import { KeyObject, randomBytes, type webcrypto } from 'node:crypto';

export interface CertificateRequest {
  /** Subject alternative names; a name that is not the URL's makes a certificate for the wrong host. */
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  /** Expired a month ago. */
  readonly expired?: boolean;
}

/** PEM. */
export interface ServerCertificate {
  readonly key: string;
  readonly cert: string;
}

/** A certificate authority for one run. A second one is untrusted by the first one's guests. */
export interface Authority {
  readonly pem: string;
  /** DER, as firmware and iPXE take it. */
  readonly der: Buffer;
  issue(request: CertificateRequest): Promise<ServerCertificate>;
}

/** 2048-bit RSA and SHA-256: the one kind that every iPXE and EDK II build with TLS verifies. */
const algorithm = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};
const validDays = 30;
const serverAuth = '1.3.6.1.5.5.7.3.1';

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;

/** Positive, as RFC 5280 §4.1.2.2 requires, and otherwise arbitrary. */
const newSerial = (): string => `01${randomBytes(8).toString('hex')}`;

/** Validity, in days from now. */
function validity(firstDay: number, lastDay: number): { notBefore: Date; notAfter: Date } {
  const dayFromNow = (days: number) => new Date(Date.now() + days * 24 * 60 * 60 * 1000);
  return { notBefore: dayFromNow(firstDay), notAfter: dayFromNow(lastDay) };
}

/** Loaded for the first HTTPS case: it is slow to load, and extends `Reflect` for the whole process. */
async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** Makes an authority and its key, which never leave this process. */
export async function makeAuthority(commonName = 'netboot-harness run authority'): Promise<Authority> {
  const x509 = await loadX509();
  const keys = await newKeys();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=${commonName}`,
    ...validity(-1, validDays),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });

  return {
    pem: authority.toString('pem'),
    der: Buffer.from(authority.rawData),
    async issue({ dns = [], ip = [], expired = false }) {
      const { publicKey, privateKey } = await newKeys();
      const names = [
        ...dns.map((value) => ({ type: 'dns', value }) as const),
        ...ip.map((value) => ({ type: 'ip', value }) as const),
      ];
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: newSerial(),
        subject: [{ CN: [dns[0] ?? ip[0] ?? 'netboot-harness'] }],
        issuer: authority.subject,
        // From yesterday: a guest's clock may be slow.
        ...(expired ? validity(-2 * validDays, -validDays) : validity(-1, validDays)),
        signingAlgorithm: algorithm,
        publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
          new x509.ExtendedKeyUsageExtension([serverAuth]),
          ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
        ],
      });
      return {
        key: KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' }).toString(),
        cert: certificate.toString('pem'),
      };
    },
  };
}
