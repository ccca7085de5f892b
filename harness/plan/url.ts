import type { Transport } from '../model/axes.ts';
import { nfsExport, urlPathOf } from '../model/served-name.ts';

/** The URL under which a client requests a name. */
export function urlOf(transport: Transport, server: string, name: string): string {
  const host = server.includes(':') ? `[${server}]` : server;
  return `${transport}://${host}/${transport === 'nfs' ? `${nfsExport}/` : ''}${urlPathOf(name)}`;
}
