import type { UdpPeer } from '../../harness/wire/stack/udp-endpoint.ts';
import { createMemoryEndpoint, type Sent } from '../tftp/memory-endpoint.ts';

export const guest: UdpPeer = { mac: '52:54:00:12:34:56', ip: '10.0.2.15', port: 2070 };

/** The guest's side of a relay: what is sent to it can be waited for, in order. */
export function createMemoryWire() {
  const arrived: Sent[] = [];
  let onArrival = (): void => {};
  const udp = createMemoryEndpoint((sent) => {
    arrived.push(sent);
    onArrival();
  });
  return {
    udp,
    deliver: udp.deliver,
    async next(): Promise<Sent> {
      while (arrived.length === 0) {
        await new Promise<void>((resolve) => {
          onArrival = resolve;
        });
      }
      return arrived.shift() as Sent;
    },
  };
}
