import { readFileSync } from 'node:fs';
import { dissect, type TcpPacket } from '../../harness/wire/codecs/packet.ts';

export interface CapturedFrame {
  readonly from: 'guest' | 'server';
  readonly packet: TcpPacket;
  readonly serverPort: number;
  readonly payload: Buffer;
}

/** The recorded boot of fixtures/nfs. */
export function capturedFrames(): CapturedFrame[] {
  const file = new URL('../../fixtures/nfs/ipxe-script.json', import.meta.url);
  const { frames } = JSON.parse(readFileSync(file, 'utf8')) as { frames: { from: 'guest' | 'server'; hex: string }[] };
  return frames.map(({ from, hex }) => {
    const frame = Buffer.from(hex, 'hex');
    const packet = dissect(frame, false);
    if (packet.malformed || packet.kind !== 'tcp') throw new Error('the fixture has a frame that is not TCP');
    const { tcp } = packet;
    const serverPort = from === 'guest' ? tcp.destinationPort : tcp.sourcePort;
    return { from, packet, serverPort, payload: frame.subarray(tcp.payloadStart, tcp.payloadEnd) };
  });
}
