import { HarnessError } from '../model/errors.ts';

/** Where a farm's Redis listens. */
export interface FarmAddress {
  server: { path: string } | { host: string; port: number };
  tls: boolean;
  db: number;
  /** For people: without user and password, which are never part of it. */
  text: string;
  /** Only processes of this machine can reach it. */
  isLocal: boolean;
}

const defaultPort = 6379;
const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

const refused = (given: string, problem: string): HarnessError =>
  new HarnessError('usage', `--farm ${given}: ${problem}`, {
    hint: 'Give redis://HOST[:PORT][/DB], rediss:// for TLS, or the path of a Unix socket. User and password are read from NETBOOT_FARM_USER and NETBOOT_FARM_PASSWORD.',
  });

function parsedUrl(given: string): URL {
  try {
    return new URL(given);
  } catch {
    throw refused(given, 'expected a URL or an absolute path');
  }
}

/** @throws HarnessError `usage`, without repeating a password */
export function parseFarmAddress(given: string): FarmAddress {
  const path = given.startsWith('unix:') ? given.slice('unix:'.length).replace(/^\/\/(?=\/)/, '') : given;
  if (path.startsWith('/')) return { server: { path }, tls: false, db: 0, text: path, isLocal: true };
  const url = parsedUrl(given);
  const { protocol, hostname, port, username, password, pathname, search, hash } = url;
  // Other users of the machine see a command line.
  if (username !== '' || password !== '')
    throw refused(`${protocol}//…@${hostname}`, 'a user or password is part of the address');
  if (protocol !== 'redis:' && protocol !== 'rediss:') throw refused(given, `${protocol}// is no address of Redis`);
  if (hostname === '') throw refused(given, 'there is no host in it');
  const db = /^\/?(\d{0,4})\/?$/.exec(pathname)?.[1];
  if (db === undefined || search !== '' || hash !== '') throw refused(given, 'expected nothing after the host but /DB');
  const server = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) || defaultPort };
  const text = `${protocol}//${hostname}:${server.port}${db === '' || db === '0' ? '' : `/${db}`}`;
  return { server, tls: protocol === 'rediss:', db: Number(db), text, isLocal: loopback.test(hostname) };
}
