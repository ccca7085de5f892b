import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseFarmAddress } from '../../harness/farm/address.ts';
import { lackOf, type Need, type Offer } from '../../harness/farm/need.ts';
import { sealingFor } from '../../harness/farm/seal.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder = '';
folderOfTest((made) => {
  folder = made;
});

describe('the address of a farm', () => {
  it('is a URL or the path of a Unix socket', () => {
    expect(parseFarmAddress('redis://lab')).toMatchObject({
      server: { host: 'lab', port: 6379 },
      tls: false,
      isLocal: false,
    });
    expect(parseFarmAddress('rediss://lab:7000/2')).toMatchObject({ tls: true, db: 2, text: 'rediss://lab:7000/2' });
    expect(parseFarmAddress('redis://[::1]')).toMatchObject({ server: { host: '::1' }, isLocal: true });
    for (const path of ['/run/redis.sock', 'unix:/run/redis.sock', 'unix:///run/redis.sock'])
      expect(parseFarmAddress(path)).toMatchObject({ server: { path: '/run/redis.sock' }, isLocal: true });
  });

  it('has no password in it, and does not repeat one', () => {
    const parse = () => parseFarmAddress('redis://me:hunter2@lab');
    expect(parse).toThrow('--farm redis://…@lab: a user or password is part of the address');
    expect(parse).not.toThrow('hunter2');
  });

  it.each(['lab', 'http://lab', 'redis://', 'redis://lab/x', 'redis://lab?db=1'])('%s is refused', (address) => {
    expect(() => parseFarmAddress(address)).toThrow(`--farm ${address}: `);
  });
});

describe('the key of a farm', () => {
  const lab = parseFarmAddress('redis://lab');
  const local = parseFarmAddress('redis://127.0.0.1');

  it('is needed, unless only this machine can reach the farm and that is said', () => {
    expect(() => sealingFor(lab, {})).toThrow('without a key, whoever reaches it could start QEMU on every worker');
    expect(() => sealingFor(local, {})).toThrow('without a key');
    expect(() => sealingFor(lab, { insecure: true })).toThrow(
      '--insecure: redis://lab:6379 can be reached from other machines',
    );
    expect(sealingFor(local, { insecure: true })).toBeDefined();
  });

  it('is long enough, and nobody else can read it', () => {
    const file = join(folder, 'key');
    writeFileSync(file, 'short', { mode: 0o600 });
    expect(() => sealingFor(lab, { farmKey: file })).toThrow('expected 32 to 4096 bytes, saw 5');
    writeFileSync(file, 'k'.repeat(32));
    chmodSync(file, 0o644);
    expect(() => sealingFor(lab, { farmKey: file })).toThrow('other users can read it');
    chmodSync(file, 0o600);
    expect(sealingFor(lab, { farmKey: file })).toBeDefined();
  });
});

describe('where a cell can run', () => {
  const code = { version: '1.0.0', sha256: 'c'.repeat(64) };
  const qemu = { name: 'host', arch: 'aarch64', version: '7.2.22', nics: 'd'.repeat(64) } as const;
  const need: Need = {
    ...{ code, qemu, accel: 'auto', memoryMiB: 512, trust: false, labels: [] },
    own: [{ name: 'efi-e1000.rom', sha256: 'e'.repeat(64) }],
    programs: ['tgt'],
  };
  const offer: Offer = {
    ...{
      worker: 'one',
      code,
      platform: 'linux x64',
      cores: 2,
      memoryMiB: 4096,
      trust: false,
      labels: ['lab'],
      sets: [],
    },
    ...{ qemus: [qemu], accels: { aarch64: ['tcg'] }, own: ['e'.repeat(64)], programs: ['tgt'] },
  };

  it('can where everything is there', () => expect(lackOf(need, offer)).toBeUndefined());

  const lacking: [string, Partial<Need>, Partial<Offer>][] = [
    [
      'netboot-harness 1.0.1 (aaaaaaaaaaaa), and the submitter 1.0.0 (cccccccccccc)',
      {},
      { code: { version: '1.0.1', sha256: 'a'.repeat(64) } },
    ],
    ['it has no QEMU for aarch64', {}, { qemus: [{ ...qemu, arch: 'x86_64' }] }],
    ["its QEMU for aarch64 is 8.0.0, and the submitter's 7.2.22", {}, { qemus: [{ ...qemu, version: '8.0.0' }] }],
    ['has other network devices', {}, { qemus: [{ ...qemu, nics: 'f'.repeat(64) }] }],
    ['it has no kvm for aarch64', { accel: 'kvm' }, { accels: { aarch64: ['tcg'], x86_64: ['kvm'] } }],
    ['it has 256 MiB of memory, fewer than 512', {}, { memoryMiB: 256 }],
    ['started without --trust', { trust: true }, {}],
    ["its efi-e1000.rom is not the submitter's", {}, { own: [] }],
    ['it has no tgt', {}, { programs: [] }],
    ['it has no label rack2', { labels: ['lab', 'rack2'] }, {}],
  ];
  it.each(lacking)('%s', (why, needs, offers) => {
    expect(lackOf({ ...need, ...needs }, { ...offer, ...offers })).toContain(why);
  });
});
