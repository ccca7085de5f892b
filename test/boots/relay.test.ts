import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Scenario } from '../../harness/model/scenario.ts';
import { readEvents } from '../../harness/run/records/run-directory.ts';
import { startDhcp6 } from '../../harness/services/dhcp/v6/server.ts';
import { boundPortsOf } from '../../harness/services/provisioner/bound-ports.ts';
import { formatIpv6Address } from '../../harness/wire/codecs/addresses.ts';
import { walkOptions } from '../../harness/wire/codecs/dhcp6.ts';
import { aavmfThenIpxe, bios, ovmfThenIpxe } from '../../scenarios/bases.ts';
import { cellsOf, openHost, planOf, runCells } from '../run/rig.ts';
import { createMemoryEndpoint } from '../tftp/memory-endpoint.ts';
import { until } from './cli.ts';

/** Servers of this host, started as anyone would: each on a port of loopback that needs no rights. */
const folder = mkdtempSync(join(tmpdir(), 'relay-'));
const running: ChildProcess[] = [];
afterAll(async () => {
  for (const child of running) {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  rmSync(folder, { recursive: true });
});

/** One that nobody has now. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function startProgram(command: string, argv: readonly string[], port: number, more: NodeJS.ProcessEnv = {}) {
  const found = await (await openHost()).sets.command(command);
  if (!('path' in found)) throw new Error(`no ${command} on this host`);
  const child = spawn(found.path, argv, { env: { ...process.env, ...found.env, ...more }, stdio: 'ignore' });
  running.push(child);
  await until(`${command} on port ${port}`, () => child.exitCode !== null || boundPortsOf(process.pid).udp.has(port));
  expect(child.exitCode).toBeNull();
}

async function startDnsmasq(...lines: string[]): Promise<string> {
  const port = await freePort();
  const config = join(folder, `dnsmasq-${port}.conf`);
  writeFileSync(
    config,
    [
      ...['port=0', 'interface=lo', 'bind-interfaces', 'no-ping', `dhcp-alternate-port=${port}`],
      ...[`dhcp-leasefile=${folder}/leases-${port}`, 'dhcp-range=10.0.2.100,10.0.2.200,255.255.255.0', ...lines, ''],
    ].join('\n'),
  );
  await startProgram('dnsmasq', [`--conf-file=${config}`, '--no-daemon', '--user=root'], port);
  return `127.0.0.1:${port}`;
}

async function startKea(): Promise<string> {
  const port = await freePort();
  const config = {
    Dhcp4: {
      'interfaces-config': { interfaces: ['lo'], 'dhcp-socket-type': 'udp' },
      'lease-database': { type: 'memfile', persist: false },
      subnet4: [{ subnet: '10.0.2.0/24', pools: [{ pool: '10.0.2.100 - 10.0.2.200' }] }],
      'next-server': '10.0.2.2',
      'client-classes': [
        { name: 'ipxe', test: "option[77].hex == 'iPXE'", 'boot-file-name': 'boot.ipxe' },
        {
          name: 'arm',
          test: "not member('ipxe') and option[93].hex == 0x000b",
          'boot-file-name': 'ipxe-arm64.efi',
        },
      ],
    },
  };
  writeFileSync(join(folder, 'kea.json'), JSON.stringify(config));
  await startProgram('kea-dhcp4', ['-c', join(folder, 'kea.json'), '-p', String(port)], port, {
    KEA_PIDFILE_DIR: folder,
    KEA_LOCKFILE_DIR: 'none',
    KEA_DHCP_DATA_DIR: folder,
  });
  return `127.0.0.1:${port}`;
}

/** A server's own copy of what a cell loads first. */
async function copyNbp(cell: object): Promise<void> {
  const [scenario] = cellsOf({ name: 'nbp', ...cell });
  const plan = await planOf(scenario as NonNullable<typeof scenario>, await openHost());
  copyFileSync(plan.inputs.find(({ role }) => role === 'nbp')?.path as string, join(folder, 'snponly.efi'));
}

async function startAtftpd(): Promise<string> {
  const port = await freePort();
  const where = ['--port', String(port), '--bind-address', '127.0.0.1', '--logfile', '/dev/null', folder];
  await startProgram('atftpd', ['--daemon', '--no-fork', '--user', 'root', '--group', 'root', ...where], port);
  return `127.0.0.1:${port}`;
}

async function startWeb(): Promise<string> {
  const server = createServer(({ url }, response) => {
    const file = url === '/snponly.efi' ? readFileSync(join(folder, 'snponly.efi')) : undefined;
    response.writeHead(file ? 200 : 404, { 'content-type': 'application/efi', 'content-length': file?.length ?? 0 });
    response.end(file);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function boot(name: string, provisioner: object, cell: object) {
  const outDir = join(folder, name);
  const { cases } = await runCells(outDir, cellsOf({ name, ...cell, provisioner, strictServer: true }));
  const [result] = cases;
  if (result?.run.directory == null) throw new Error(result?.verdict.diagnosis ?? 'no case');
  return { verdict: result.verdict, events: readEvents(join(outDir, result.run.directory)) };
}

const toItsEnd = { status: 'passed', lastStage: 'config', diagnosis: null };

const forIpxe = ['dhcp-userclass=set:ipxe,iPXE', 'dhcp-boot=tag:ipxe,boot.ipxe,,10.0.2.2'];

// dnsmasq wants CAP_NET_ADMIN and the like, wherever it listens.
describe.runIf(process.getuid?.() === 0)('dnsmasq, running on loopback', () => {
  let relay: string;
  let tftp: string;
  let http: string;
  beforeAll(async () => {
    await copyNbp(ovmfThenIpxe);
    relay = await startDnsmasq(
      ...forIpxe,
      ...['dhcp-match=set:x64,option:client-arch,7', 'dhcp-boot=tag:!ipxe,tag:x64,snponly.efi,,10.0.2.3'],
      ...['dhcp-vendorclass=set:http,HTTPClient', 'dhcp-option-force=tag:http,60,HTTPClient'],
      'dhcp-boot=tag:http,http://10.0.2.3:8000/snponly.efi',
    );
    [tftp, http] = [await startAtftpd(), await startWeb()];
  });

  it('leads BIOS to a script of the harness’s', async () => {
    const { verdict, events } = await boot('bios', { relay }, bios);
    expect(verdict).toMatchObject(toItsEnd);
    expect(verdict.serverFindings?.filter(({ informational }) => !informational) ?? []).toEqual([]);
    const acked = events.find((event) => event.type === 'dhcp' && event.messageType === 'ack');
    // RFC 5107: on the guest's network the relay agent stands for the server.
    expect(acked).toMatchObject({ serverId: '10.0.2.2', yiaddr: expect.stringMatching(/^10\.0\.2\.1/) });
    expect(events.some(({ source }) => source === 'dhcp')).toBe(false);
    expect(events).toContainEqual(expect.objectContaining({ type: 'relaying', service: 'dhcp', to: relay }));
  });

  it('leads UEFI to an NBP of a TFTP server on loopback', async () => {
    const forward = [{ address: '10.0.2.3', tftp }];
    const { verdict, events } = await boot('pxe', { relay, forward }, ovmfThenIpxe);
    expect(verdict).toMatchObject(toItsEnd);
    const served = events.flatMap((event) => (event.source === 'tftp' ? [(event as { file?: string }).file] : []));
    expect(served).not.toContain('snponly.efi');
  });

  it('leads UEFI HTTP boot to an NBP of a web server on loopback', async () => {
    const forward = [{ address: '10.0.2.3', http, port: 8000 }];
    const cell = { ...ovmfThenIpxe, transport: { nbp: 'http' } };
    const { verdict, events } = await boot('http', { relay, forward }, cell);
    expect(verdict).toMatchObject(toItsEnd);
    expect(events.some(({ source }) => source === 'http')).toBe(false);
  });

  it('that names what is not listed is found out, and the guest gets nowhere', async () => {
    const elsewhere = await startDnsmasq('dhcp-boot=boot.ipxe,,10.0.2.99');
    const { verdict } = await boot('unlisted', { relay: elsewhere }, bios);
    expect(verdict).toMatchObject({ status: 'failed' });
    const found = (verdict.serverFindings ?? []).filter(
      ({ informational, name }) => !informational || name === 'host-not-listed',
    );
    expect(found.map(({ name, text }) => [name, text])).toEqual([
      [
        'host-not-listed',
        'iPXE on x86 BIOS (architecture 0) was told boot.ipxe, by tftp at 10.0.2.99:69, which the matrix does not list',
      ],
    ]);
  });
});

it('Kea, running on loopback, leads Arm to a script', async () => {
  const { verdict } = await boot('kea', { relay: await startKea() }, aavmfThenIpxe);
  expect(verdict).toMatchObject(toItsEnd);
});

/**
 * A DHCPv6 server on ::1 that knows relay agents: the harness's own, in Relay-replies that go to the port asked from
 * (RFC 8415 §19.3, RFC 8357 §5.4).
 */
async function startDhcp6Server(cell: object): Promise<string> {
  const plan = await planOf(cellsOf({ name: 'served', ...cell })[0] as Scenario, await openHost());
  const headerBytes = 34;
  const socket = createSocket('udp6');
  let agent: RemoteInfo | undefined;
  let header = Buffer.alloc(0);
  const option = (code: number, data: Buffer) =>
    Buffer.concat([Buffer.of(0, code, data.length >> 8, data.length & 255), data]);
  const udp = createMemoryEndpoint(({ payload }) => {
    const reply = Buffer.concat([header, option(9, payload)]);
    if (agent !== undefined) socket.send(reply, agent.port, agent.address);
  });
  const network = plan.network as Parameters<typeof startDhcp6>[1]['network'];
  const rules = ['boot.ipxe', 'snponly.efi'].map((file, at) => ({
    name: file,
    when: at === 0 ? { userClass: 'iPXE' } : {},
    ...{ file, answer: true, options: [] },
  }));
  startDhcp6(udp, { network, rules, served: () => new Set(), emit: () => {} });
  socket.on('message', (payload, from) => {
    const walked = walkOptions(payload.subarray(headerBytes));
    const message = 'options' in walked && walked.options.find(({ code }) => code === 9)?.data;
    if (!message) return;
    agent = from;
    header = Buffer.concat([Buffer.of(13, 0), payload.subarray(2, headerBytes)]);
    const ip = formatIpv6Address(payload, 18);
    udp.deliver({ mac: plan.network.guestMac, ip, port: 546 }, 547, message);
  });
  socket.bind(0, '::1');
  await once(socket, 'listening');
  afterAll(() => void socket.close());
  return `[::1]:${socket.address().port}`;
}

it('a DHCPv6 server on loopback leads UEFI to a script', async () => {
  const cell = { ...ovmfThenIpxe, ipVersion: 6 };
  const { verdict, events } = await boot('six', { relay: await startDhcp6Server(cell) }, cell);
  expect(verdict).toMatchObject(toItsEnd);
  // The harness's own is for IPv4 alone.
  const decided = events.filter((event) => event.source === 'dhcp' && event.type === 'decided');
  expect(decided.filter(({ messageType }) => messageType === 'solicit')).toEqual([]);
});

it('the harness could not tell where no server is running', async () => {
  const relay = `127.0.0.1:${await freePort()}`;
  const { verdict } = await boot('nobody', { relay }, bios);
  expect(verdict).toMatchObject({
    status: 'error',
    diagnosis: expect.stringContaining(`the DHCP server at ${relay} (UDP): nothing listens there (connection refused)`),
  });
});
