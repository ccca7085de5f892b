import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { HarnessEvent, UntimedEvent } from '../../../harness/model/events.ts';
import { startIscsiTarget } from '../../../harness/services/iscsi/target.ts';
import { tmpdirOfTest } from '../../temporary-folder.ts';

const programRoot = fileURLToPath(new URL('../../../.cache/programs/tgt/root', import.meta.url));
const iqn = 'iqn.2026-01.example.test:disk';

let folder: string;
// Other runs on this machine have targets too.
tmpdirOfTest((made) => {
  folder = made;
});

const sanOf = (disk: string) => ({ iqn, disk, patch: [{ offset: 4, ascii: 'nonce' }], programRoot });
const targetFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('netboot-iscsi-'));

/** Whether something on loopback takes a connection. */
const accepts = (port: number, host = '127.0.0.1'): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

test.skipIf(!existsSync(programRoot))(
  'targets run side by side, each with its own port, and leave nothing behind',
  async () => {
    const disk = join(folder, 'disk.img');
    writeFileSync(disk, Buffer.alloc(4096));
    const events: UntimedEvent[] = [];
    const emit = (event: UntimedEvent) => events.push(event);
    const [one, other] = await Promise.all([startIscsiTarget(sanOf(disk), emit), startIscsiTarget(sanOf(disk), emit)]);
    expect(one.port).not.toBe(other.port);
    expect(await accepts(one.port)).toBe(true);
    expect(await accepts(other.port)).toBe(true);
    await one.close();
    await other.close();
    expect(await accepts(one.port)).toBe(false);
    expect(targetFolders()).toEqual([]);
    expect(events.filter((event) => (event as HarnessEvent).source === 'iscsi')).toHaveLength(4);
  },
);

test.skipIf(!existsSync(programRoot))(
  'a case that boots over IPv6 has its target on the loopback of IPv6',
  async () => {
    const disk = join(folder, 'disk.img');
    writeFileSync(disk, Buffer.alloc(4096));
    const { port, close } = await startIscsiTarget(sanOf(disk), () => {}, 6);
    expect([await accepts(port), await accepts(port, '::1')]).toEqual([false, true]);
    await close();
  },
);
