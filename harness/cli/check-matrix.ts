import { basename, resolve } from 'node:path';
import { serverClients, serverClients6 } from '../../scenarios/server-clients.ts';
import type { Matrix } from '../matrix/matrix.ts';
import { parseMatrix } from '../matrix/parse-matrix.ts';
import { checkShape } from '../model/check-shape.ts';
import { HarnessError } from '../model/errors.ts';
import { type ProvisionerService, provisionerServices } from '../model/provisioner.ts';
import { isIp6Server, relaySchema } from '../model/relay.ts';

/** A server that is started. */
interface StartedServer {
  /** A command line, split at blanks. */
  command: string;
  files: readonly string[];
  serves: readonly string[];
}

/** A server that is running already. */
interface RelayedServer {
  /** HOST:PORT, one over IPv4 and one over IPv6. */
  relay: readonly string[];
  /** URL=HOST:PORT, as in `tftp://10.0.2.3=127.0.0.1:6969`. */
  forward: readonly string[];
}

export type CheckedServer = StartedServer | RelayedServer;

/** The server's on both families, whichever a client uses. */
const addresses = ['10.0.2.3', 'fd00::3'];

const isService = (name: string): name is ProvisionerService =>
  (provisionerServices as readonly string[]).includes(name);

function servicesOf(names: readonly string[]): ProvisionerService[] {
  const unknown = names.find((name) => !isService(name));
  if (unknown === undefined) return names.filter(isService);
  throw new HarnessError('usage', `--serves: expected some of ${provisionerServices.join(', ')}, saw "${unknown}"`, {
    hint: 'Name what your server does; the harness does the rest.',
  });
}

function groupsOfStarted({ command, files, serves: names }: StartedServer) {
  const serves = servicesOf(names);
  const provisioner = {
    command: command.trim().split(/\s+/),
    files: Object.fromEntries(files.map((file) => [basename(file), { path: resolve(file) }])),
    serves,
    address: addresses,
  };
  // A client that is offered something over IPv4 does not ask over IPv6.
  const without4 = {
    ...provisioner,
    serves: serves.filter((service) => service !== 'dhcp' && service !== 'proxydhcp'),
  };
  const groups = [
    ...(serves.includes('dhcp') || serves.includes('proxydhcp')
      ? serverClients.map((group) => ({ ...group, provisioner }))
      : []),
    ...(serves.includes('dhcpv6') ? serverClients6.map((group) => ({ ...group, provisioner: without4 })) : []),
  ];
  if (groups.length > 0) return groups;
  throw new HarnessError('usage', '--serves: expected dhcp, proxydhcp or dhcpv6 among them', {
    hint: 'A server that names no boot files is tested with a matrix: netboot run --matrix.',
  });
}

const forwardPattern = /^(tftp|http):\/\/([\d.]+)(?::(\d+))?\/?=(.+)$/;

function forwardOf(text: string) {
  const [, service, address, port, to] = forwardPattern.exec(text) ?? [];
  if (service === undefined || (service === 'tftp' && port !== undefined)) {
    throw new HarnessError(
      'usage',
      `--forward: expected tftp://ADDRESS=HOST:PORT or http://ADDRESS[:PORT]=HOST:PORT, saw "${text}"`,
      {
        hint: 'Left of = is what your DHCP server names, right of it where that is on this host: tftp://10.0.2.3=127.0.0.1:6969.',
      },
    );
  }
  return { address, [service]: to, ...(port === undefined ? {} : { port: Number(port) }) };
}

function groupsOfRelayed({ relay, forward }: RelayedServer) {
  const provisioner = { relay, ...(forward.length > 0 && { forward: forward.map(forwardOf) }) };
  const checked = checkShape(relaySchema, provisioner);
  if ('problems' in checked) {
    throw new HarnessError('usage', `check-server: ${checked.problems.join('; ')}`, {
      hint: 'A server elsewhere is brought to loopback first, for example with socat.',
    });
  }
  const groups = [
    ...(relay.every(isIp6Server) ? [] : serverClients),
    ...(relay.some(isIp6Server) ? serverClients6 : []),
  ];
  return groups.map((group) => ({ ...group, provisioner }));
}

/** A matrix with every kind of client, each booting from the user's server. */
export function checkMatrix(server: CheckedServer): Matrix {
  const groups = 'relay' in server ? groupsOfRelayed(server) : groupsOfStarted(server);
  return parseMatrix(
    { name: 'check-server', groups: groups.map((group) => ({ ...group, strictServer: true })) },
    'check-server',
  );
}
