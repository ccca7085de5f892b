/** EFI_CERT_X509_GUID, a5c059a1-94e4-4aa7-87b5-ab155c2bf072 (UEFI 2.10 §32.4.1). */
const certX509Guid = Buffer.from('a159c0a5e494a74a87b5ab155c2bf072', 'hex');
/** SignatureOwner: any GUID; firmware only displays it. */
const ownerGuid = Buffer.from('6e65742d626f6f742d6861726e657373', 'hex');
const listHeaderBytes = 28;

/**
 * One DER certificate as an EFI_SIGNATURE_LIST (UEFI 2.10 §32.4.1): what edk2 reads its TLS
 * authorities from, in fw_cfg `etc/edk2/https/cacerts`.
 */
export function efiSignatureList(der: Buffer): Buffer {
  const header = Buffer.alloc(listHeaderBytes);
  const signatureBytes = ownerGuid.length + der.length;
  certX509Guid.copy(header, 0);
  header.writeUInt32LE(listHeaderBytes + signatureBytes, 16);
  header.writeUInt32LE(0, 20);
  header.writeUInt32LE(signatureBytes, 24);
  return Buffer.concat([header, ownerGuid, der]);
}
