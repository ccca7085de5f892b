import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bootRuleSchema } from '../../../harness/model/boot-rule.ts';
import type { Network } from '../../../harness/model/plan.ts';
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
import { message, recordingEndpoint, startRig } from '../../dhcp/client-rig.ts';
import { record } from '../arbitraries.ts';
import { checkEvent } from '../rig.ts';
import { target } from '../target.ts';

const macs = Array.from({ length: 9 }, (_, index) => `52:54:00:00:00:0${index}`);
const serverIp = '10.0.2.2';
/** A subnet so small that its addresses run out: 10 to 14. */
const small: Partial<Network> = { serverIp, guestIp: '10.0.2.10', netmask: '255.255.255.240' };
const pool = [10, 11, 12, 13, 14].map((host) => `10.0.2.${host}`);
const octets = (ip: string): number[] => ip.split('.').map(Number);

/** What a DHCP server must remember, by RFC 2131 §4.3. */
interface Model {
  /** By MAC, in the order of the offers. */
  readonly leases: Map<string, { ip: string; bound: boolean }>;
  readonly declined: Set<string>;
}
type Real = ReturnType<typeof startRig>;
type Step = fc.Command<Model, Real>;

function step(text: string, run: (model: Model, real: Real) => void): Step {
  return {
    check: () => true,
    run(model, real) {
      run(model, real);
      const inUse = [...model.leases.values()].map(({ ip }) => ip);
      assert.equal(new Set(inUse).size, inUse.length, 'two clients have one address');
      for (const event of real.events.splice(0)) checkEvent(event);
    },
    toString: () => text,
  };
}

const isFree = ({ leases, declined }: Model, ip: string): boolean =>
  pool.includes(ip) && !declined.has(ip) && ![...leases.values()].some((lease) => lease.ip === ip);

const discover = (mac: string, wanted: string | undefined): Step =>
  step(`discover ${mac} ${wanted}`, (model, { send }) => {
    const [offer, ...more] = send(message('discover', wanted === undefined ? {} : { 50: octets(wanted) }, { mac }));
    assert.equal(more.length, 0);
    const { leases } = model;
    const known = leases.get(mac);
    const oldest = [...leases].find(([, { bound }]) => !bound);
    if (known === undefined && !pool.some((ip) => isFree(model, ip)) && oldest === undefined) {
      assert.equal(offer, undefined, 'an offer although nothing is left');
      return;
    }
    assert.equal(offer?.messageType, 'offer');
    const { yiaddr } = offer;
    if (known !== undefined) assert.equal(yiaddr, known.ip, 'another address than the client has');
    else if (wanted !== undefined && isFree(model, wanted))
      assert.equal(yiaddr, wanted, 'not the free address asked for');
    else if (!isFree(model, yiaddr)) {
      assert.equal(yiaddr, oldest?.[1].ip, 'an address that is taken');
      leases.delete(oldest?.[0] as string);
    }
    if (known === undefined) leases.set(mac, { ip: yiaddr, bound: false });
  });

/** Selecting, with a server's identifier; otherwise after a reboot, with an address asked for, or renewing, with its own. */
const request = (mac: string, ip: string, kind: 'selecting' | 'rebooting' | 'renewing'): Step =>
  step(`request ${mac} ${ip} ${kind}`, ({ leases }, { send }) => {
    const asked = kind === 'renewing' ? {} : { 50: octets(ip) };
    const chosen = kind === 'selecting' ? { 54: octets(serverIp) } : {};
    const ciaddr = kind === 'renewing' ? ip : '0.0.0.0';
    const replies = send(message('request', { ...asked, ...chosen }, { mac, ciaddr }));
    const lease = leases.get(mac);
    if (lease?.ip === ip) {
      assert.deepEqual(
        replies.map(({ messageType, yiaddr }) => [messageType, yiaddr]),
        [['ack', ip]],
      );
      lease.bound = true;
    } else
      assert.ok(
        replies.every(({ messageType }) => messageType === 'nak'),
        'an address acknowledged that is not the client’s',
      );
  });

const release = (mac: string, ip: string): Step =>
  step(`release ${mac} ${ip}`, ({ leases }, { send }) => {
    assert.deepEqual(send(message('release', { 54: octets(serverIp) }, { mac, ciaddr: ip })), []);
    if (leases.get(mac)?.ip === ip) leases.delete(mac);
  });

const decline = (mac: string, ip: string): Step =>
  step(`decline ${mac} ${ip}`, ({ leases, declined }, { send }) => {
    assert.deepEqual(send(message('decline', { 54: octets(serverIp), 50: octets(ip) }, { mac })), []);
    if (leases.get(mac)?.ip !== ip) return;
    leases.delete(mac);
    declined.add(ip);
  });

const anyMac = fc.constantFrom(...macs);
const anyIp = fc.constantFrom(...pool, '10.0.2.9', '192.168.0.1');

const leases = target({
  name: 'dhcp-leases',
  holds:
    'whatever clients ask, no two have one address, none is acknowledged another’s, and what one has stays its own',
  testRuns: 20,
  input: fc.commands(
    [
      fc.tuple(anyMac, fc.option(anyIp, { nil: undefined })).map(([mac, ip]) => discover(mac, ip)),
      fc
        .tuple(anyMac, anyIp, fc.constantFrom('selecting' as const, 'rebooting' as const, 'renewing' as const))
        .map((asked) => request(...asked)),
      fc.tuple(anyMac, anyIp).map((asked) => release(...asked)),
      fc.tuple(anyMac, anyIp).map((asked) => decline(...asked)),
    ],
    { maxCommands: 80, size: 'max' },
  ),
  check(steps, count) {
    const rules = [{ name: 'all', file: 'boot.ipxe' }];
    fc.modelRun(
      () => ({ model: { leases: new Map(), declined: new Set<string>() }, real: startRig({ rules, network: small }) }),
      steps,
    );
    count([...steps].length);
  },
});

const serverDuid = Buffer.from('0003000152540000002a', 'hex');
const clientId: Dhcp6Option = { code: dhcp6Options.clientId, data: Buffer.from('0004aabb', 'hex') };
const serverId: Dhcp6Option = { code: dhcp6Options.serverId, data: serverDuid };
const types = ['solicit', 'request', 'renew', 'rebind', 'confirm', 'release', 'decline'] as const;
const named: readonly Dhcp6MessageType[] = ['request', 'renew', 'release', 'decline'];

const ip6 = (host: number): string => `fd00::${host.toString(16)}`;
/** All but two of the 64 addresses below the end of the last 16 bits. */
const lowest = 0xfffc;

const leases6 = target({
  name: 'dhcp6-leases',
  holds: 'whatever clients ask over IPv6, no two have one address, and a declined one is not given again',
  testRuns: 20,
  input: fc.array(
    record({
      type: fc.constantFrom(...types),
      mac: fc.nat(5),
      host: fc.integer({ min: lowest, max: 0xffff }),
      ias: fc.integer({ min: 1, max: 2 }),
    }),
    {
      maxLength: 80,
      size: 'max',
    },
  ),
  check(steps, count) {
    const { udp, deliver } = recordingEndpoint();
    startDhcp6(udp, {
      network: {
        ...{ serverMac: '52:54:00:00:00:2a', serverIp, guestMac: '52:54:00:12:34:56', guestIp: '10.0.2.15' },
        ...{ netmask: '255.255.255.0', proxyDhcp: false, tcp: [] },
        ipv6: { serverIp: 'fd00::2', guestIp: ip6(lowest), managed: true },
      },
      rules: [bootRuleSchema.parse({ name: 'all', file: 'boot.efi' })],
      served: () => new Set(),
      emit: checkEvent,
    });
    const holders = new Map<string, string>();
    const declined = new Set<string>();
    for (const { type, mac, host, ias } of steps) {
      const asked = Array.from({ length: ias }, (_, index) =>
        encodeIaNa({
          iaid: index,
          t1Seconds: 0,
          t2Seconds: 0,
          addresses: [{ ip: ip6(host), preferredSeconds: 0, validSeconds: 0 }],
        }),
      );
      const options = [clientId, ...(named.includes(type) ? [serverId] : []), ...asked];
      const from = { mac: macs[mac] as string, ip: 'fe80::1', port: 546 };
      const [sent, ...more] = deliver(547, encodeDhcp6({ messageType: type, xid: host, options }), from);
      assert.equal(more.length, 0);
      if (type === 'release' || type === 'decline') {
        for (let index = 0; index < ias; index++) {
          if (holders.get(ip6(host)) !== `${mac}/${index}`) continue;
          holders.delete(ip6(host));
          if (type === 'decline') declined.add(ip6(host));
        }
      }
      const parsed = sent && parseDhcp6(sent.payload);
      if (parsed === undefined) continue;
      assert.ok('message' in parsed);
      assert.ok(optionOf(parsed.message, dhcp6Options.serverId)?.equals(serverDuid));
      const given: string[] = [];
      for (const { data } of parsed.message.options.filter(({ code }) => code === dhcp6Options.iaNa)) {
        const ia = parseIaNa(data);
        assert.ok(ia !== null);
        for (const { ip } of ia.addresses) {
          const key: string = `${mac}/${ia.iaid}`;
          assert.ok(!declined.has(ip), `${ip} was declined`);
          assert.ok(!given.includes(ip), `${ip} is given twice in one message`);
          given.push(ip);
          const former: string | undefined = [...holders].find(
            ([other, holder]) => holder === key && other !== ip,
          )?.[0];
          if (former !== undefined) holders.delete(former);
          // Only the acknowledged is held: an offer may be withdrawn.
          if (parsed.message.messageType !== 'reply') continue;
          assert.equal(holders.get(ip) ?? key, key, `${ip} is another's`);
          holders.set(ip, key);
        }
      }
    }
    count(steps.length);
  },
});

export const leaseTargets = [leases, leases6];
