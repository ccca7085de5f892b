import type { CellAxes } from '../model/axis-text.ts';
import { expectedFindings } from '../model/expectation.ts';
import { isOfWire } from '../model/faults.ts';
import { type Provisioner, type ProvisionerService, programsOf, relayOf } from '../model/provisioner.ts';
import type { Scenario } from '../model/scenario.ts';
import type { FaultyServer } from '../model/server-faults.ts';
import { transportsOf } from '../model/transports.ts';

type Cell = CellAxes & Pick<Scenario, 'certificate' | 'expect' | 'faults' | 'provisioner' | 'strictServer'>;

/** What the user's server does in place of the harness's. */
function foreignServices(provisioner: Provisioner | undefined, ipVersion: 4 | 6): readonly ProvisionerService[] {
  if (provisioner === undefined) return [];
  if (relayOf(provisioner)) return [ipVersion === 6 ? 'dhcpv6' : 'dhcp'];
  return programsOf(provisioner).flatMap(({ serves = [] }) => serves);
}

interface Server {
  name: string;
  /** What a provisioner calls its service. */
  service?: ProvisionerService;
  /** Why the harness does not start it, whoever else may. */
  absence?: (cell: Cell) => string | undefined;
}

const fetchesBy = ({ transport }: Cell, ...names: string[]): boolean =>
  Object.values(transportsOf(transport)).some((one) => names.includes(one));

/** The harness's own servers. An IPv6 boot has a DHCPv4 server beside it: some firmware asks that first. */
const servers: Readonly<Record<FaultyServer, Server>> = {
  dhcp: { name: 'DHCP server', service: 'dhcp' },
  dhcp6: {
    name: 'DHCPv6 server',
    service: 'dhcpv6',
    absence: ({ ipVersion }) => (ipVersion === 4 ? 'there is none in a boot over IPv4; use ipVersion 6' : undefined),
  },
  tftp: { name: 'TFTP server', service: 'tftp' },
  http: {
    name: 'HTTP server',
    service: 'http',
    absence: (cell) =>
      fetchesBy(cell, 'http', 'https')
        ? undefined
        : 'nothing is fetched by it; use transport http or https for a fetch',
  },
  tls: {
    name: 'HTTPS server',
    absence: (cell) =>
      fetchesBy(cell, 'https') ? undefined : 'nothing is fetched by it; use transport https for a fetch',
  },
};

/** HTTPS is the harness's own, whoever serves HTTP. */
const isReplaced = (cell: Cell, server: FaultyServer): boolean =>
  foreignServices(cell.provisioner, cell.ipVersion).some((service) => service === servers[server].service) &&
  !(server === 'http' && fetchesBy(cell, 'https'));

/** What is asked of the user's server, which nobody judges where the network spoils its frames; see `serverFindings`. */
function askedOfServer({ expect, strictServer }: Cell): string | undefined {
  const [finding] = expectedFindings(expect);
  return strictServer === undefined ? finding && `the finding ${finding}` : 'strictServer';
}

/** Why a server of the harness can never do what a fault has it do, or nothing can be asked of the user's, or null. */
export function impossibleFaultOf(cell: Cell): string | null {
  const asked = askedOfServer(cell);
  for (const [index, fault] of (cell.faults ?? []).entries()) {
    if (isOfWire(fault)) {
      if (asked === undefined) continue;
      return `fault ${index + 1} is of the network, under which no server is judged, and ${asked} asks for that: leave out one of them`;
    }
    const { server } = fault;
    const { name, absence } = servers[server];
    const why = absence?.(cell) ?? (isReplaced(cell, server) ? 'the provisioner serves that here' : undefined);
    if (why !== undefined) return `fault ${index + 1} is of the harness's ${name}, and ${why}`;
    const own = cell.certificate ?? 'valid';
    if (server === 'tls' && fault.certificate === own) {
      return `fault ${index + 1} replaces the certificate "${own}" by the same: name another one, or give the group another`;
    }
  }
  return null;
}
