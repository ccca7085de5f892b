import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DhcpMessage } from '../../../harness/wire/codecs/dhcp.ts';
import { message, startRig } from '../../dhcp/client-rig.ts';
import { FaultyLink, fates } from '../faulty-link.ts';
import { checkEvent } from '../rig.ts';
import { target } from '../target.ts';
import { macs as allMacs, octets, serverIp, small } from './leases.ts';

const macs = allMacs.slice(0, 4);
/** Two addresses for four clients. */
const scarce = { ...small, guestIp: '10.0.2.13' };

/** A client of RFC 2131 §4.4, as far as it decides who has an address. */
class Client {
  state: 'idle' | 'selecting' | 'requesting' | 'bound' | 'renewing' | 'gone' = 'idle';
  ip: string | undefined;
  lastSent: Buffer | undefined;
  #xid: number;
  readonly mac: string;

  constructor(mac: string, index: number) {
    this.mac = mac;
    this.#xid = index << 16;
  }

  get hasAddress(): boolean {
    return this.state === 'bound' || this.state === 'renewing';
  }

  /** A message of a new exchange, or of the one in progress. */
  #say(type: DhcpMessage['messageType'], options: Record<number, number[]>, { ciaddr = '0.0.0.0', isNew = true } = {}) {
    if (isNew) this.#xid++;
    this.lastSent = message(type, options, { mac: this.mac, xid: this.#xid, ciaddr });
    return this.lastSent;
  }

  discover(): Buffer {
    this.state = 'selecting';
    return this.#say('discover', {});
  }

  renew(): Buffer {
    this.state = 'renewing';
    return this.#say('request', {}, { ciaddr: this.ip as string });
  }

  /** For good: what the network repeats of it could otherwise release its next address. */
  release(): Buffer {
    this.state = 'gone';
    return this.#say('release', { 54: octets(serverIp) }, { ciaddr: this.ip as string });
  }

  /** Finds the address in use. */
  decline(): Buffer {
    this.state = 'idle';
    return this.#say('decline', { 54: octets(serverIp), 50: octets(this.ip as string) });
  }

  /** What it sends in answer, if anything. */
  receive({ messageType, xid, yiaddr }: DhcpMessage): Buffer | undefined {
    if (xid !== this.#xid) return undefined;
    if (messageType === 'offer' && this.state === 'selecting') {
      this.state = 'requesting';
      this.ip = yiaddr;
      return this.#say('request', { 50: octets(yiaddr), 54: octets(serverIp) }, { isNew: false });
    }
    if (messageType === 'ack' && (this.state === 'requesting' || this.state === 'renewing')) {
      assert.equal(yiaddr, this.ip, 'another address is acknowledged than was asked for');
      this.state = 'bound';
    }
    if (messageType === 'nak') {
      assert.notEqual(this.state, 'renewing', 'a client loses the address that it has');
      if (this.state === 'requesting') this.state = 'idle';
    }
    return undefined;
  }
}

interface Network4 {
  readonly clients: readonly Client[];
  readonly link: FaultyLink;
  readonly rig: ReturnType<typeof startRig>;
}

/** To the server, and its answers to the client, each over the link. */
function sendOver({ link, rig }: Network4, client: Client, payload: Buffer): void {
  const reach = (reply: DhcpMessage): void => {
    const answer = client.receive(reply);
    if (answer !== undefined) send(answer);
  };
  const send = (sent: Buffer): void =>
    link.send(() => {
      for (const reply of rig.send(sent)) link.send(() => reach(reply));
    });
  send(payload);
}

type LifeStep = fc.Command<object, Network4>;

const lifeStep = (text: string, run: (network: Network4) => void): LifeStep => ({
  check: () => true,
  run(_, network) {
    run(network);
    const held = network.clients.filter(({ hasAddress }) => hasAddress).map(({ ip }) => ip);
    assert.equal(new Set(held).size, held.length, 'two clients have one address');
    for (const event of network.rig.events.splice(0)) checkEvent(event);
  },
  toString: () => text,
});

/** One of the clients does this, where it can. */
const doing = (name: string, isPossible: (client: Client) => boolean, say: (client: Client) => Buffer | undefined) =>
  fc.nat(macs.length - 1).map((index) =>
    lifeStep(`${index} ${name}`, (network) => {
      const client = network.clients[index] as Client;
      const payload = isPossible(client) ? say(client) : undefined;
      if (payload !== undefined) sendOver(network, client, payload);
    }),
  );

const isThere = ({ state }: Client): boolean => state !== 'gone';
const arriving = fates.map(([fate, nth]) =>
  lifeStep(`${nth} ${fate}`, ({ link }) => link.isEmpty || link.meet(fate, nth)),
);

export const leaseLife = target({
  name: 'dhcp-lease-life',
  holds:
    'over a link that loses, doubles and reorders, no two clients have one address, and none loses its own by renewing it',
  testRuns: 20,
  input: fc.commands(
    [
      doing(
        'discovers',
        (client) => isThere(client) && !client.hasAddress,
        (client) => client.discover(),
      ),
      doing('sends again', isThere, ({ lastSent }) => lastSent),
      doing(
        'renews',
        ({ hasAddress }) => hasAddress,
        (client) => client.renew(),
      ),
      doing(
        'releases',
        ({ hasAddress }) => hasAddress,
        (client) => client.release(),
      ),
      doing(
        'declines',
        ({ state }) => state === 'bound',
        (client) => client.decline(),
      ),
      ...[arriving, arriving, arriving, arriving],
    ],
    { maxCommands: 120, size: 'max' },
  ),
  check(steps, count) {
    const rules = [{ name: 'all', file: 'boot.ipxe' }];
    const real: Network4 = {
      clients: macs.map((mac, index) => new Client(mac, index)),
      link: new FaultyLink(),
      rig: startRig({ rules, network: scarce }),
    };
    fc.modelRun(() => ({ model: {}, real }), steps);
    count([...steps].length);
  },
});
