import { extname } from 'node:path';

/** By extension. UEFI HTTP boot recognises images by the first three (UEFI 2.10 §24.7.3.1). */
const contentTypes: Readonly<Record<string, string>> = {
  '.efi': 'application/efi',
  '.iso': 'application/vnd.efi-iso',
  '.img': 'application/vnd.efi-img',
  '.ipxe': 'text/plain; charset=utf-8',
  '.cfg': 'text/plain; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
};

export function contentTypeOf(name: string): string {
  const extension = extname(name).toLowerCase();
  return Object.hasOwn(contentTypes, extension) ? (contentTypes[extension] as string) : 'application/octet-stream';
}
