import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { judge } from '../../harness/judge/judge.ts';
import type { HarnessEvent } from '../../harness/model/events.ts';
import { expectationSchema } from '../../harness/model/expectation.ts';
import { faultSchema } from '../../harness/model/faults.ts';
import type { Plan } from '../../harness/model/plan.ts';
import { type ServerFindingName, serverFindingNames } from '../../harness/model/server-findings.ts';
import { recordedRun } from './recorded-run.ts';
import { type RecordedServer as Recorded, recordedServer as recorded } from './recorded-server.ts';

const foundIn = ({ plan, events }: Recorded) => judge(plan, events).serverFindings ?? [];
const namesIn = (run: Recorded): string[] => foundIn(run).map(({ name }) => name);

/** Each rule with a boot that shows it, and what it says of that. */
const shown: Record<ServerFindingName, { in: string; says: string | RegExp }> = {
  'architecture-unanswered': {
    in: 'no-http',
    says: 'x64 UEFI by HTTP (architecture 16) asked 4 times, and got an address and nothing to boot',
  },
  'boot-server-silent': {
    in: 'no-4011',
    says: 'x64 UEFI (architecture 7) asked port 4011 4 times after an offer with option 60 PXEClient and no option 43, and got no answer',
  },
  'broadcast-flag-ignored': {
    in: 'unicast',
    says: 'x64 UEFI (architecture 7) asked for broadcast, and the OFFER was sent to 10.0.2.100',
  },
  'host-not-listed': {
    in: 'not-listed',
    says: 'iPXE on x86 BIOS (architecture 0) was told boot.ipxe, by tftp at 10.0.2.99:69, which the matrix does not list',
  },
  'http-class-missing': {
    in: 'option-60',
    says: 'x64 UEFI by HTTP (architecture 16) was offered http://10.0.2.3/snponly.efi without option 60',
  },
  'http-length-missing': {
    in: 'no-length',
    says: 'x64 UEFI by HTTP (architecture 16) was answered without Content-Length, and did not fetch /snponly.efi whole',
  },
  'http-redirected': {
    in: 'redirect',
    says: 'x64 UEFI by HTTP (architecture 16) was sent from /snponly.efi to http://10.0.2.2/snponly.efi (status 301)',
  },
  'nbp-for-other-client': {
    in: 'x64-to-arm',
    says: 'ARM 64-bit UEFI (architecture 11) was given ipxe-arm64.efi, which is an EFI image for x64',
  },
  'nbp-loop': { in: 'loop', says: 'snponly.efi was fetched again by the iPXE that it had started' },
  'next-server-missing': {
    in: 'proxy',
    says: 'iPXE on x86 BIOS (architecture 0) was told boot.ipxe, without a next server (siaddr, option 66), and fetched nothing',
  },
  'oack-unasked': { in: 'oack', says: 'for boot.ipxe windowsize 4 was granted, and not asked for' },
  'reply-too-short': { in: 'kea-http', says: 'the OFFER has 271 bytes, and BOOTP messages have at least 300' },
  retransmissions: { in: 'sends-twice', says: '119 of the 119 blocks of snponly.efi came more than once' },
  'server-address-silent': { in: 'next-server', says: 'nobody answers at 10.0.2.99, the next server (siaddr)' },
  'slow-answer': { in: 'slow', says: /^iPXE on x86 BIOS \(architecture 0\) waited 2\.\d s for the first answer$/ },
  'tsize-unanswered': { in: 'no-tsize', says: 'the length of snponly.efi (tsize) was asked for and not given' },
};

/** Boots by servers without a mistake. */
const clean = ['no-mistake', 'pxe', 'http', 'ipv6', 'proxy-whole'];

describe('what is found about a server', () => {
  it.each(Object.entries(shown))('%s', (name, { in: of, says }) => {
    const found = foundIn(recorded(of)).filter((one) => one.name === name);
    expect(found).not.toEqual([]);
    expect(found[0]?.text).toMatch(says);
    expect(found[0]?.section).toMatch(/^(RFC \d+|PXE 2\.1 §|UEFI 2\.10 §)/);
    expect(found[0]?.remedy).not.toBe('');
  });

  it.each([
    ['boot.ipxe', '10.0.2.2', undefined],
    ['boot.ipxe', '10.0.2.3', undefined],
    ['http://10.0.2.3:8000/a.efi', '0.0.0.0', undefined],
    ['tftp://10.0.2.3/a.efi', '192.168.1.1', undefined],
    ['boot.ipxe', '127.0.0.1', 'tftp at 127.0.0.1:69'],
    ['http://10.0.2.3/a.efi', '10.0.2.3', 'http at 10.0.2.3:80'],
    ['https://10.0.2.3:8000/a.efi', '10.0.2.3', 'https at 10.0.2.3:8000'],
    ['http://10.0.2.2/a.efi', '10.0.2.2', 'http at 10.0.2.2:80'],
    ['http://boot.example/a.efi', '10.0.2.2', 'http at boot.example, a name'],
  ])('behind a relay: %s with next server %s', (bootFile, siaddr, place) => {
    const { plan, events } = structuredClone(recorded('not-listed'));
    const to = { host: '127.0.0.1', port: 8080 };
    plan.network.provisioner?.relay?.forward.push(
      { service: 'tftp', address: '10.0.2.3', port: 69, to },
      { service: 'http', address: '10.0.2.3', port: 8000, to },
    );
    const told = events.map((event) =>
      event.type === 'dhcp' && event.from === 'server' ? { ...event, bootFile, siaddr } : event,
    );
    const found = foundIn({ plan, events: told }).filter(({ name }) => name === 'host-not-listed');
    const text = `iPXE on x86 BIOS (architecture 0) was told ${bootFile}, by ${place}, which the matrix does not list`;
    expect(found.map((one) => one.text)).toEqual(place === undefined ? [] : [text]);
  });

  it('is nothing where the server makes no mistake', () => {
    expect(Object.keys(shown).sort()).toEqual([...serverFindingNames].sort());
    const found = clean.map((name) => [name, namesIn(recorded(name)).filter((one) => one !== 'slow-answer')]);
    expect(found).toEqual(clean.map((name) => [name, []]));
  });

  it.each(Object.values(shown).map((one) => one.in))('is one mistake in %s, and not all that could be', (name) => {
    const found = new Set(namesIn(recorded(name)));
    // AAVMF goes on to HTTP boot, which that server does not know either.
    found.delete(name === 'x64-to-arm' ? 'architecture-unanswered' : '');
    found.delete(shown['slow-answer'].in === name ? '' : 'slow-answer');
    expect([...found]).toEqual(Object.keys(shown).filter((one) => shown[one as ServerFindingName].in === name));
  });

  it('tells a class that is not sent from one that cannot be read', () => {
    expect(foundIn(recorded('option-16')).map(({ text }) => text)).toEqual([
      'x64 UEFI by HTTP (architecture 16) was offered http://[fd00::2]/snponly.efi with a malformed option 16',
    ]);
    // Malformed too, but the client finds the class where it looks for it, and boots.
    expect(namesIn(recorded('option-16-read')).filter((name) => name !== 'slow-answer')).toEqual([]);
  });

  it('is not asked of the harness itself, which does on purpose what a matrix says', () => {
    const { plan, events } = recorded('redirect');
    const { provisioner: _, ...network } = plan.network;
    expect(foundIn({ plan: { ...plan, network }, events })).toEqual([]);
    expect(foundIn(recordedRun('uefi-http-redirect'))).toEqual([]);
  });

  it("is asked of a server next to which one of the harness's own does wrong on purpose", () => {
    const { plan, events } = recorded('no-http');
    const faults = [faultSchema.parse({ server: 'tftp', delayMs: 1000 })];
    const found = foundIn({ plan: { ...plan, scenario: { ...plan.scenario, faults } }, events });
    expect(found).toEqual(foundIn({ plan, events }));
    expect(found).not.toEqual([]);
  });

  it('is not asked of a server whose frames were lost or altered on purpose', () => {
    const { plan, events } = recorded('no-http');
    const scenario: Plan['scenario'] = {
      ...plan.scenario,
      faults: [{ on: 'to-guest', match: {}, drop: 0.1, seed: 1 }],
    };
    expect(foundIn({ plan: { ...plan, scenario }, events })).toEqual([]);
  });

  it.each<[lateAfterMs: number, isFound: boolean]>([
    [-1, true],
    [1_000, false],
    [60_000, true],
  ])('is no slow answer where the harness was late up to %d ms after the question', (lateAfterMs, isFound) => {
    const { plan, events } = recorded('slow');
    const asked = events.find((event) => event.type === 'dhcp' && event.from === 'guest');
    const tMs = (asked?.tMs ?? 0) + lateAfterMs;
    const late: HarnessEvent = { tMs, source: 'run', type: 'late', who: 'harness', lateMs: 900 };
    expect(namesIn({ plan, events: [...events, late] }).includes('slow-answer')).toBe(isFound);
  });

  it('is about what the server serves: addresses of the harness name no boot file', () => {
    const run = recorded('proxy');
    expect(run.events.some((event) => event.type === 'dhcp' && event.yiaddr === '10.0.2.15')).toBe(true);
    expect(namesIn(run)).toEqual(['next-server-missing']);
  });
});

describe('a verdict', () => {
  const setting = (run: Recorded, more: Partial<Plan['scenario']>): Recorded => ({
    ...run,
    plan: { ...run.plan, scenario: { ...run.plan.scenario, ...more } },
  });
  const verdictOf = ({ plan, events }: Recorded) => judge(plan, events);
  const expecting = (expected: z.input<typeof expectationSchema>) => ({ expect: expectationSchema.parse(expected) });

  it('is not decided by what was found', () => {
    expect(verdictOf(recorded('oack'))).toMatchObject({ status: 'passed', diagnosis: null });
  });

  it('is, under strictServer', () => {
    expect(verdictOf(setting(recorded('oack'), { strictServer: true }))).toMatchObject({
      status: 'failed',
      diagnosis:
        'The server is at fault: for boot.ipxe windowsize 4 was granted, and not asked for (oack-unasked, RFC 2347, RFC 2348).',
    });
    expect(verdictOf(setting(recorded('no-mistake'), { strictServer: true })).status).toBe('passed');
  });

  it.each(['slow', 'sends-twice', 'kea-http'])('never is by load, or by what harms no client: %s', (name) => {
    expect(verdictOf(setting(recorded(name), { strictServer: true })).status).toBe('passed');
  });

  it('is final after the third NBP in a row: no deadline is waited for', () => {
    const text = 'snponly.efi was fetched 3 times, each time by the one before';
    expect(verdictOf(recorded('loop'))).toMatchObject({ status: 'passed', failure: { rule: 'nbp-loop', text } });
  });

  it('fails where an expected finding is missing, and not where it is there', () => {
    const wanted = expecting({ reaches: 'last', finding: 'oack-unasked' });
    expect(verdictOf(setting(recorded('no-mistake'), wanted))).toMatchObject({
      status: 'failed',
      diagnosis: 'Not as expected of the server: oack-unasked was to be found.',
    });
    expect(verdictOf(setting(recorded('oack'), wanted)).status).toBe('passed');
    expect(verdictOf(setting(recorded('oack'), { ...wanted, strictServer: true })).status).toBe('passed');
  });
});
