import { expect, it } from 'vitest';
import { evidenceOf } from './recorded-log.ts';

type Found = Awaited<ReturnType<typeof evidenceOf>>['evidence'];

const stageOf = (evidence: Found, wanted: string) =>
  evidence.find((found) => found.kind === 'stage' && found.stage === wanted);

it('lets EDK II fail over IPv4 and takes only the boot lease over IPv6 for the lease of the case', async () => {
  const { evidence, complete } = await evidenceOf('uefi-http-ipv6');
  expect(complete).toBe(true);
  expect(evidence.filter(({ kind }) => kind === 'failure')).not.toContainEqual(
    expect.objectContaining({ rule: 'http-boot-error' }),
  );
  expect(stageOf(evidence, 'dhcp')).toMatchObject({
    rule: 'first-lease',
    text: expect.stringContaining('DHCPv6'),
  });
});

it('does not take what EDK II said of IPv4 for IPv6 where the console is behind the wire', async () => {
  const { evidence } = await evidenceOf('uefi-http-ipv6-late-console');
  expect(stageOf(evidence, 'dhcp')).toMatchObject({ text: expect.stringContaining('DHCPv6') });
  expect(evidence.filter((found) => found.kind === 'failure' && found.ends)).toEqual([]);
});

it('ends where syslinux.efi finds nothing to fetch from, and not with what the firmware tries next', async () => {
  const { evidence } = await evidenceOf('uefi-syslinux-http');
  expect(stageOf(evidence, 'nbp-fetch')).toMatchObject({ rule: 'nbp-delivered' });
  expect(evidence.filter((found) => found.kind === 'failure' && found.ends)).toEqual([
    expect.objectContaining({ rule: 'syslinux-no-root' }),
  ]);
});

it("takes the HTTPS server's word for a delivery that no frame can tell", async () => {
  const { evidence, complete } = await evidenceOf('uefi-https');
  expect(complete).toBe(true);
  expect(stageOf(evidence, 'nbp-fetch')).toMatchObject({ rule: 'nbp-delivered' });
});

it('names the reason for which iPXE refused a certificate', async () => {
  const { evidence, complete } = await evidenceOf('arm-ipxe-https-expired');
  expect(complete).toBe(false);
  expect(evidence).toContainEqual(expect.objectContaining({ kind: 'failure', rule: 'ipxe-expired', ends: false }));
  expect(evidence).not.toContainEqual(expect.objectContaining({ rule: 'ipxe-untrusted' }));
  expect(stageOf(evidence, 'config')).toBeUndefined();
});

it("takes iPXE's word for an NBP it started before it acknowledged the last bytes", async () => {
  const { evidence, complete } = await evidenceOf('bios-undionly-http-unacknowledged');
  expect(complete).toBe(true);
  expect(stageOf(evidence, 'nbp-fetch')).toMatchObject({ rule: 'nbp-delivered' });
  expect(stageOf(evidence, 'nbp')).toMatchObject({ rule: 'ipxe-nbp' });
});
