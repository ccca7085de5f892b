import { z } from 'zod';

const byte = String.raw`(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
const ipv4Loopback = String.raw`127(\.${byte}){3}`;

/** A port of this host's loopback. Nothing else is ever asked on a guest's behalf, and no name is resolved. */
const loopbackPort = (host: string, example: string) => {
  const expected = `expected a loopback address and a port, such as ${example}`;
  return z
    .string()
    .regex(new RegExp(String.raw`^${host}:[1-9]\d{0,4}$`), expected)
    .refine((text) => portNumberOf(text) <= 65_535, expected);
};
const portNumberOf = (text: string): number => Number(text.slice(text.lastIndexOf(':') + 1));
const httpOrTftpPort = loopbackPort(String.raw`(${ipv4Loopback}|\[::1\])`, '127.0.0.1:8080 or [::1]:8080');

/** The harness's own address on the guest's network. */
export const harnessIp = '10.0.2.2';
const forwardedAddress = z
  .ipv4()
  .refine((ip) => ip !== harnessIp, `${harnessIp} is the harness's own address: its files are there already`);

/** A service at an address of the guest's network, and where it really is. */
const forwardSchema = z.union([
  z.strictObject({ address: forwardedAddress, tftp: httpOrTftpPort }),
  /** `port` is the guest's: 80 by default. */
  z.strictObject({ address: forwardedAddress, http: httpOrTftpPort, port: z.int().min(1).max(65_535).optional() }),
]);
export type Forward = z.infer<typeof forwardSchema>;

const serverPort = loopbackPort(String.raw`(${ipv4Loopback}|\[::1\])`, '127.0.0.1:6767 or [::1]:5547');
/** Of a server as a matrix names it. */
export const isIp6Server = (text: string): boolean => text.startsWith('[');
/** One for each version of DHCP. */
const serversSchema = z.union([
  serverPort,
  z
    .array(serverPort)
    .min(1)
    .max(2)
    .refine(
      (all) => new Set(all.map(isIp6Server)).size === all.length,
      'expected one server over IPv4 and one over IPv6',
    ),
]);

const maxForwards = 16;
export const portOf = (forward: Forward): number => ('tftp' in forward ? 69 : (forward.port ?? 80));
const isDistinct = (forwards: readonly Forward[]): boolean =>
  new Set(forwards.map((forward) => `${forward.address} ${portOf(forward)}`)).size === forwards.length;

/** A DHCP server that is running already, and what else of this host a guest may reach. */
export const relaySchema = z.strictObject({
  relay: serversSchema,
  forward: z
    .array(forwardSchema)
    .min(1)
    .max(maxForwards)
    .refine(isDistinct, 'expected each address and port once')
    .optional(),
});
export type Relay = z.infer<typeof relaySchema>;

/** The server that is asked in cases over one version of IP. */
export const relayedServer = ({ relay }: Relay, ipVersion: 4 | 6): string | undefined =>
  [relay].flat().find((server) => isIp6Server(server) === (ipVersion === 6));

const endpointSchema = z.strictObject({ host: z.string(), port: z.int() });
export type Endpoint = z.infer<typeof endpointSchema>;

/** `127.0.0.1:6767`, `[::1]:8080`. */
export const endpointOf = (text: string): Endpoint => ({
  host: text.slice(0, text.lastIndexOf(':')).replace(/^\[|\]$/g, ''),
  port: portNumberOf(text),
});
export const isIp6Host = (host: string): boolean => host.includes(':');
export const endpointText = ({ host, port }: Endpoint): string =>
  isIp6Host(host) ? `[${host}]:${port}` : `${host}:${port}`;

/** A relay as a plan has it: all that a guest can reach through it. */
export const plannedRelaySchema = z.strictObject({
  dhcp: endpointSchema,
  forward: z.array(
    z.strictObject({
      service: z.enum(['tftp', 'http']),
      /** What the guest asks. */
      address: z.string(),
      port: z.int(),
      /** What is asked for it. */
      to: endpointSchema,
    }),
  ),
});
export type PlannedRelay = z.infer<typeof plannedRelaySchema>;
export type PlannedForward = PlannedRelay['forward'][number];
