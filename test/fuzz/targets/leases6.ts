import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bootRuleSchema } from '../../../harness/model/boot-rule.ts';
import { startDhcp6 } from '../../../harness/services/dhcp/v6/server.ts';
import {
  type Dhcp6MessageType,
  type Dhcp6Option,
  dhcp6Options,
  encodeDhcp6,
  encodeIaNa,
  optionOf,
  parseDhcp6,
  parseIaNa,
} from '../../../harness/wire/codecs/dhcp6.ts';
import { recordingEndpoint } from '../../dhcp/client-rig.ts';
import { record } from '../arbitraries.ts';
import { checkEvent } from '../rig.ts';
import { target } from '../target.ts';
import { macs, serverIp } from './leases.ts';

const serverDuid = Buffer.from('0003000152540000002a', 'hex');
const clientId: Dhcp6Option = { code: dhcp6Options.clientId, data: Buffer.from('0004aabb', 'hex') };
const ip6 = (host: number): string => `fd00::${host.toString(16)}`;
/** The addresses up to the end of the last 16 bits are all that there are. */
const lowest = 0xfffc;
const pool6 = Array.from({ length: 0x1_0000 - lowest }, (_, index) => ip6(lowest + index));

/** What a DHCPv6 server must remember, by RFC 8415 §18.3: leases by client and association, in the order of the offers. */
class Model6 {
  readonly leases = new Map<string, { ip: string; bound: boolean }>();
  readonly #declined = new Set<string>();

  /** The address that it has, the first free one, or the oldest that nobody has accepted. */
  offer(key: string): string | undefined {
    const known = this.leases.get(key);
    if (known !== undefined) return known.ip;
    const taken = new Set([...this.#declined, ...[...this.leases.values()].map(({ ip }) => ip)]);
    const oldest = [...this.leases].find(([, { bound }]) => !bound);
    const ip = pool6.find((one) => !taken.has(one)) ?? oldest?.[1].ip;
    if (ip === undefined) return undefined;
    if (oldest?.[1].ip === ip) this.leases.delete(oldest[0]);
    this.leases.set(key, { ip, bound: false });
    return ip;
  }

  bind(key: string): string | undefined {
    const lease = this.leases.get(key);
    if (lease !== undefined) lease.bound = true;
    return lease?.ip;
  }

  give(key: string, ip: string, isDeclined: boolean): void {
    if (this.leases.get(key)?.ip !== ip) return;
    this.leases.delete(key);
    if (isDeclined) this.#declined.add(ip);
  }
}

type Real6 = ReturnType<typeof recordingEndpoint>;

/** Asks for these associations, and gets the address of each, if any; `named` with the server's identifier. */
function ask6(real: Real6, type: Dhcp6MessageType, asked: Asked6, { named }: { named: boolean }) {
  const associations = asked.ips.map((ip, iaid) => {
    const addresses = [{ ip, preferredSeconds: 0, validSeconds: 0 }];
    return encodeIaNa({ iaid, t1Seconds: 0, t2Seconds: 0, addresses });
  });
  const options = [clientId, ...(named ? [{ code: dhcp6Options.serverId, data: serverDuid }] : []), ...associations];
  const from = { mac: asked.mac, ip: 'fe80::1', port: 546 };
  const sent = real.deliver(547, encodeDhcp6({ messageType: type, xid: 7, options }), from);
  assert.equal(sent.length, 1);
  const parsed = parseDhcp6(sent[0]?.payload as Buffer);
  assert.ok('message' in parsed);
  assert.ok(optionOf(parsed.message, dhcp6Options.serverId)?.equals(serverDuid));
  const given = new Map<number, string | undefined>();
  for (const { code, data } of parsed.message.options) {
    const ia = code === dhcp6Options.iaNa ? parseIaNa(data) : null;
    if (ia !== null) given.set(ia.iaid, ia.addresses[0]?.ip);
  }
  return { type: parsed.message.messageType, given: asked.ips.map((_, iaid) => given.get(iaid)) };
}

interface Asked6 {
  readonly mac: string;
  /** One association each. */
  readonly ips: readonly string[];
}

const asked6: fc.Arbitrary<Asked6> = record({
  mac: fc.constantFrom(...macs.slice(0, 6)),
  ips: fc.array(fc.constantFrom(...pool6), { minLength: 1, maxLength: 2 }),
});

type Step6 = fc.Command<Model6, Real6>;
type Run6 = (model: Model6, real: Real6, asked: Asked6, keys: readonly string[]) => void;

const step6 = (name: string, run: Run6): fc.Arbitrary<Step6> =>
  asked6.map((asked) => ({
    check: () => true,
    run(model, real) {
      const keys = asked.ips.map((_, index) => `${asked.mac}/${index}`);
      run(model, real, asked, keys);
      const inUse = [...model.leases.values()].map(({ ip }) => ip);
      assert.equal(new Set(inUse).size, inUse.length, 'two associations have one address');
    },
    toString: () => `${name} ${asked.mac} ${asked.ips}`,
  }));

const solicit6 = step6('solicit', (model, real, asked, keys) => {
  for (const key of keys) model.offer(key);
  // A later offer may have withdrawn an earlier one.
  const offered = keys.map((key) => model.leases.get(key)?.ip);
  assert.deepEqual(ask6(real, 'solicit', asked, { named: false }), { type: 'advertise', given: offered });
});

const request6 = step6('request', (model, real, asked, keys) => {
  const leased = keys.map((key) => model.offer(key) && model.bind(key));
  assert.deepEqual(ask6(real, 'request', asked, { named: true }), { type: 'reply', given: leased });
});

const renewing6 = (type: 'renew' | 'rebind') =>
  step6(type, (model, real, asked, keys) => {
    const kept = keys.map((key) => model.bind(key));
    assert.deepEqual(ask6(real, type, asked, { named: type === 'renew' }), { type: 'reply', given: kept });
  });

const confirm6 = step6('confirm', (_, real, asked) => {
  const given = asked.ips.map(() => undefined);
  assert.deepEqual(ask6(real, 'confirm', asked, { named: false }), { type: 'reply', given });
});

const returning6 = (type: 'release' | 'decline') =>
  step6(type, (model, real, asked, keys) => {
    for (const [index, key] of keys.entries()) model.give(key, asked.ips[index] as string, type === 'decline');
    const given = asked.ips.map(() => undefined);
    assert.deepEqual(ask6(real, type, asked, { named: true }), { type: 'reply', given });
  });

export const leases6 = target({
  name: 'dhcp6-leases',
  holds:
    'whatever clients ask over IPv6, no two have one address, each has the one that it was given, and a declined one is not given again',
  testRuns: 20,
  input: fc.commands(
    [
      ...[solicit6, request6, renewing6('renew'), renewing6('rebind'), confirm6],
      ...[returning6('release'), returning6('decline')],
    ],
    { maxCommands: 80, size: 'max' },
  ),
  check(steps, count) {
    const real = recordingEndpoint();
    startDhcp6(real.udp, {
      network: {
        ...{ serverMac: '52:54:00:00:00:2a', serverIp, guestMac: '52:54:00:12:34:56', guestIp: '10.0.2.15' },
        ...{ netmask: '255.255.255.0', proxyDhcp: false, tcp: [] },
        ipv6: { serverIp: 'fd00::2', guestIp: ip6(lowest), managed: true },
      },
      rules: [bootRuleSchema.parse({ name: 'all', file: 'boot.efi' })],
      served: () => new Set(),
      emit: checkEvent,
    });
    fc.modelRun(() => ({ model: new Model6(), real }), steps);
    count([...steps].length);
  },
});
