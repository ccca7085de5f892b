import { HarnessError } from '../../model/errors.ts';
import { formatMac } from '../../wire/codecs/addresses.ts';
import { isFor } from '../../wire/codecs/ethernet.ts';
import type { Link } from '../../wire/stack/link.ts';

export interface Switch {
  /**
   * A guest's link to the server; closing it unplugs the guest.
   * @throws HarnessError `provisioner-failed` if another guest has this MAC
   */
  plug(mac: Buffer): Link;
}

interface Guest {
  readonly mac: Buffer;
  readonly onFrame: ((frame: Buffer) => void)[];
  readonly onDrain: (() => void)[];
  readonly onMalformed: ((reason: string) => void)[];
}

/**
 * A switch with a server on one port and a guest on each of the others, which are protected: what the server sends to all
 * reaches every guest, and what a guest sends reaches the server alone. A guest cannot disturb another, or answer it.
 */
export function createSwitch(server: Link): Switch {
  const guests = new Set<Guest>();
  server.onFrame((frame) => {
    for (const { mac, onFrame } of guests) if (isFor(frame, mac)) for (const listener of onFrame) listener(frame);
  });
  server.onDrain(() => {
    for (const { onDrain } of guests) for (const listener of onDrain) listener();
  });
  server.onMalformed((reason) => {
    for (const { onMalformed } of guests) for (const listener of onMalformed) listener(reason);
  });
  return {
    plug(mac) {
      if ([...guests].some((other) => other.mac.equals(mac))) {
        throw new HarnessError(
          'provisioner-failed',
          `two guests of the provisioner have the MAC ${formatMac(mac, 0)}`,
          {
            hint: 'Give the group of one of them another name: a MAC is made from the case id.',
          },
        );
      }
      const guest: Guest = { mac, onFrame: [], onDrain: [], onMalformed: [] };
      guests.add(guest);
      return {
        onFrame: (listener) => void guest.onFrame.push(listener),
        onDrain: (listener) => void guest.onDrain.push(listener),
        onMalformed: (listener) => void guest.onMalformed.push(listener),
        send: (parts) => server.send(parts),
        // The server does not wait for one of its guests: what that one leaves unread its own link bounds.
        pause() {},
        resume() {},
        close: () => void guests.delete(guest),
      };
    },
  };
}
