import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Network } from '../../../harness/model/plan.ts';
import { message, startRig } from '../../dhcp/client-rig.ts';
import { checkEvent } from '../rig.ts';
import { target } from '../target.ts';

export const macs = Array.from({ length: 9 }, (_, index) => `52:54:00:00:00:0${index}`);
export const serverIp = '10.0.2.2';
/** A subnet so small that its addresses run out: 10 to 14. */
export const small: Partial<Network> = { serverIp, guestIp: '10.0.2.10', netmask: '255.255.255.240' };
const pool = [10, 11, 12, 13, 14].map((host) => `10.0.2.${host}`);
export const octets = (ip: string): number[] => ip.split('.').map(Number);

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

export const leases = target({
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
