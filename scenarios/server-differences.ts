export interface ServerDifference {
  /** Programs of a provisioner, one of which is the cause. */
  servers: readonly string[];
  /** On which side it is: the harness's own servers and their client, or the others. */
  only: 'own' | 'theirs';
  /** What a client did, or its server told or granted it, in the words of harness/judge/server/protocol-facts.ts. */
  facts: readonly string[];
  reason: string;
}

/**
 * Where the same client, machine and files meet something else from these servers than from the harness's own, and why.
 * `npm run servers -- RUN` compares a run of the default matrix; a difference without a row here fails it.
 */
export const serverDifferences: readonly ServerDifference[] = [
  {
    servers: ['dnsmasq'],
    only: 'theirs',
    facts: ['request to port 4011', 'ack unicast'],
    reason:
      'EDK II takes a proxyDHCP offer with option 60 and without 43 for one to be completed on port 4011 (PXE 2.1 §2.2.3), and is answered where it asks from',
  },
  {
    servers: ['dnsmasq'],
    only: 'own',
    facts: ['option 43'],
    reason:
      'the own proxyDHCP offer is whole: PXE_DISCOVERY_CONTROL in option 43 spares EDK II port 4011 (PXE 2.1 §2.2.3)',
  },
  {
    servers: ['dnsmasq'],
    only: 'theirs',
    facts: ['offer broadcast'],
    reason: 'dnsmasq broadcasts its proxyDHCP offers, whatever the client asks for',
  },
  {
    servers: ['dnsmasq', 'in.tftpd'],
    only: 'own',
    facts: ['windowsize 4 granted'],
    reason: 'it knows no windows (RFC 7440): EDK II acknowledges every block; atftpd grants them',
  },
  {
    servers: ['kea-dhcp4', 'dhcpd'],
    only: 'own',
    facts: ['option 175'],
    reason:
      'iPXE then waits 3 s for offers of a proxyDHCP server, and sends its DISCOVER again; dnsmasq is configured to send it (no-pxedhcp)',
  },
  {
    servers: ['dnsmasq'],
    only: 'own',
    facts: ['boot file in the header'],
    reason: 'dnsmasq names it in option 67 alone, since the client asks for that option; clients look at both',
  },
  {
    servers: ['kea-dhcp4', 'dhcpd', 'dnsmasq'],
    only: 'own',
    facts: ['option 67'],
    reason: 'it names the boot file in the header, as dnsmasq does for proxyDHCP; clients look at both',
  },
  {
    servers: ['dnsmasq', 'kea-dhcp4', 'dhcpd'],
    only: 'own',
    facts: ['option 66'],
    reason: 'the next server is in the header (siaddr), where iPXE and EDK II look first',
  },
  {
    servers: ['dnsmasq', 'kea-dhcp4', 'dhcpd'],
    only: 'own',
    facts: ['option 97'],
    reason: "RFC 4578 §2.3 has the server send the client's machine identifier back; no client here looks",
  },
  {
    servers: ['dnsmasq', 'dhcpd'],
    only: 'own',
    facts: ['option 61'],
    reason: 'RFC 6842 has the server send the client identifier back, as Kea does; no client here looks',
  },
  {
    servers: ['kea-dhcp4', 'dhcpd'],
    only: 'own',
    facts: ['option 3'],
    reason: 'no router is configured; everything is on the same network',
  },
  {
    servers: ['dnsmasq'],
    only: 'theirs',
    facts: ['option 28', 'option 58', 'option 59'],
    reason: 'dnsmasq adds the broadcast address and the times of renewal, which a boot does not last for',
  },
  {
    servers: ['dnsmasq'],
    only: 'theirs',
    facts: ['option 13'],
    reason: 'over IPv6 dnsmasq says that it succeeded (RFC 8415 §21.13); without that option it is so too',
  },
];

/** Why boots by these programs differ so from one by the harness's own servers; undefined if nothing here says. */
export const reasonOf = (
  programs: readonly string[],
  { only, text }: { only: ServerDifference['only']; text: string },
): string | undefined =>
  serverDifferences.find(
    (row) => row.only === only && row.facts.includes(text) && row.servers.some((server) => programs.includes(server)),
  )?.reason;
