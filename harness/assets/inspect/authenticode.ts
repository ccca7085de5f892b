import { X509Certificate } from 'node:crypto';
import { childrenOf, readDer } from './der.ts';
import { asciiText } from './file-text.ts';
import { attempt, slice } from './malformed.ts';

export interface PeSignature {
  /** Common names of the embedded certificates: the signer's and its intermediates'. */
  readonly certificates: readonly string[];
}

const contextTag0 = 0xa0;
const sequence = 0x30;
const pkcs7 = 2;

function commonName(der: Buffer): string[] {
  try {
    const { subject } = new X509Certificate(der);
    return [asciiText(/^CN=(.*)$/m.exec(subject)?.[1] ?? subject.replaceAll('\n', ', '))];
  } catch {
    // OpenSSL is stricter than firmware; the signature is reported without a name.
    return [];
  }
}

/** The certificates of a PKCS #7 SignedData (RFC 2315 §9.1): the [0] field after version, digests and content. */
function certificatesOf(signedData: Buffer): string[] {
  const [, content] = childrenOf(readDer(signedData));
  const fields = content === undefined ? [] : childrenOf(readDer(content.contents));
  const certificates = fields.find(({ tag }) => tag === contextTag0);
  if (certificates === undefined) return [];
  return childrenOf(certificates)
    .filter(({ tag }) => tag === sequence)
    .flatMap(({ whole }) => commonName(whole));
}

/** The attribute certificate table of a PE file (PE/COFF specification, "The Attribute Certificate Table"). */
export function readSignatures(table: Buffer): PeSignature[] {
  const signatures: PeSignature[] = [];
  for (let at = 0; at + 8 <= table.length && signatures.length < 16; ) {
    const length = table.readUInt32LE(at);
    if (length < 8) break;
    if (table.readUInt16LE(at + 6) === pkcs7) {
      const certificates = attempt(() => certificatesOf(slice(table, at + 8, length - 8, 'a PE signature')));
      signatures.push({ certificates: 'problem' in certificates ? [] : certificates });
    }
    at += Math.ceil(length / 8) * 8;
  }
  return signatures;
}
