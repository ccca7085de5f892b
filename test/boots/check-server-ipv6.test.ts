import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { checkMatrix } from '../../harness/cli/check-matrix.ts';
import { serverAccount } from '../../harness/judge/server/account.ts';
import { expandMatrix } from '../../harness/matrix/expand-matrix.ts';
import { readEvents, readPlan } from '../../harness/run/records/run-directory.ts';
import { runCells } from '../run/rig.ts';

const folder = mkdtempSync(join(tmpdir(), 'check-server-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** DHCP, DHCPv6, router advertisements and TFTP, as for a network with both families. */
const config = [
  ...['port=0', 'interface={{interface}}', 'bind-interfaces', 'no-ping', 'dhcp-leasefile={{dir}}/leases'],
  ...['enable-tftp', 'tftp-root={{tree}}', 'dhcp-userclass=set:ipxe,iPXE'],
  ...['dhcp-range=10.0.2.100,10.0.2.200,255.255.255.0', 'dhcp-boot=tag:ipxe,{{script}}', 'dhcp-boot=tag:!ipxe,{{nbp}}'],
  ...['enable-ra', 'dhcp-range=fd00::100,fd00::1ff,64'],
  ...['dhcp-match=set:x64,option6:61,00:07', 'dhcp-match=set:arm64,option6:61,00:0b'],
  'dhcp-option=tag:ipxe,option6:bootfile-url,tftp://[{{provisioner6}}]/{{script}}',
  'dhcp-option=tag:!ipxe,tag:x64,option6:bootfile-url,tftp://[{{provisioner6}}]/snponly.efi',
  'dhcp-option=tag:!ipxe,tag:arm64,option6:bootfile-url,tftp://[{{provisioner6}}]/ipxe-arm64.efi',
];

it('a client of a server with both families boots over IPv6, and the server is asked nothing over IPv4', async () => {
  const file = join(folder, 'dnsmasq.conf');
  writeFileSync(file, `${config.join('\n')}\n`);
  const matrix = checkMatrix({
    command: 'dnsmasq --conf-file={{dir}}/dnsmasq.conf --no-daemon --user=root',
    files: [file],
    serves: ['dhcp', 'dhcpv6', 'router-advertisements', 'tftp'],
  });
  const cells = expandMatrix(matrix).cells.filter(({ group }) => group === 'arm-pxe-6');
  const { cases } = await runCells(join(folder, 'run'), cells);
  const [result] = cases;
  expect(result?.verdict).toMatchObject({ status: 'passed', lastStage: 'config', diagnosis: null });
  const directory = join(folder, 'run', result?.run.directory as string);
  const events = readEvents(directory);
  expect(serverAccount(readPlan(directory), events)).toEqual({
    offered: ['tftp://[fd00::3]/ipxe-arm64.efi', 'tftp://[fd00::3]/boot.ipxe'],
    loaded: ['ipxe-arm64.efi', 'boot.ipxe'],
  });
  const over4 = events.filter((event) => event.type === 'dhcp' && event.from === 'server');
  expect(over4.filter((event) => event.type === 'dhcp' && event.serverId === '10.0.2.3')).toEqual([]);
});
