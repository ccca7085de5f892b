import type { Transport } from '../model/axes.ts';
import { nfsExport, urlPathOf } from '../model/served-name.ts';

/** The name by which a client asks: bare for TFTP in DHCP's own fields, a URL where a URL is wanted. */
export function urlOf(transport: Transport, server: string, name: string): string {
  const host = server.includes(':') ? `[${server}]` : server;
  return `${transport}://${host}/${transport === 'nfs' ? `${nfsExport}/` : ''}${urlPathOf(name)}`;
}
