import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../../fixtures/captures/dhcp/', import.meta.url);

interface CapturedPacket {
  readonly from: 'guest' | 'server';
  readonly dstPort: number;
  readonly hex: string;
}

export interface Capture {
  readonly client: string;
  readonly packets: readonly CapturedPacket[];
}

/** One recorded exchange by file name without `.json`. */
export function capture(name: string): Capture {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Capture;
}

export function captureNames(prefix: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.startsWith(prefix) && file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

/** The UDP payloads the guest sent, in order. */
export function guestPayloads(name: string): Buffer[] {
  return capture(name)
    .packets.filter(({ from }) => from === 'guest')
    .map(({ hex }) => Buffer.from(hex, 'hex'));
}
