import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { prefix } from '../../../harness/farm/keys.ts';
import { makeAuthority } from '../../../harness/services/certificates/authority.ts';
import { folderOfTest } from '../../temporary-folder.ts';
import { compile, until, type Workplace } from '../cli.ts';
import { type Farm, guests, idOf, onFarm, quick, resultsIn, statuses, untilRunning, waits } from './on-farm.ts';

beforeAll(compile, 120_000);

/** How often Redis has refused to grow. */
async function refusals({ redis }: Farm): Promise<number> {
  return Number(/errorstat_OOM:count=(\d+)/.exec(await redis.info('errorstats'))?.[1] ?? 0);
}

describe('a Redis that is full', () => {
  it('loses nothing: the worker waits for room, and the run goes on', async () => {
    await onFarm(async (farm) => {
      const { place, redis } = farm;
      const worker = farm.worker('one');
      const run = farm.run([waits('slow', 10_000), quick('a')]);
      await untilRunning(farm, ['one'], idOf('slow'));
      await until('the guest', () => guests(place).length > 0);
      await redis.config('SET', 'maxmemory', '1');
      await until('the end of the guest', () => guests(place).length === 0, 60_000);
      await until('the worker to notice', () => worker.said.stderr.includes("the farm's Redis is full"), 60_000);
      await redis.config('SET', 'maxmemory', '0');
      const { exitCode, stdout } = await run.finished;
      expect(stdout).toContain('2 cases: 2 passed');
      expect(exitCode).toBe(0);
      expect(readdirSync(join(place.folder, 'out/cases')).sort()).toEqual([idOf('a'), idOf('slow')]);
      worker.kill('SIGINT');
      await worker.finished;
    });
  });

  it('is said at the start, with the remedy', async () => {
    await onFarm(
      async (farm) => {
        const { exitCode, stderr } = await farm.run([quick('a')]).finished;
        expect(await refusals(farm)).toBeGreaterThan(0);
        expect(stderr).toContain("the farm's Redis is full; waiting 30 s for room");
        expect(stderr).toContain('Raise its maxmemory, or give workers and submitters a folder');
        expect(exitCode).toBe(3);
      },
      { redis: ['--maxmemory', '1'] },
    );
  });
});

describe('a folder that all machines see', () => {
  let store = '';
  folderOfTest((made) => {
    store = made;
  });

  it('passes the files on in place of Redis', async () => {
    await onFarm(
      async (farm) => {
        const { place, redis } = farm;
        // A worker that has no files of its own: it must take them from the folder.
        place.write('sent.txt', 'sent');
        const worker = farm.worker('one');
        const served = { ...quick('a'), serve: { 'sent.txt': { path: join(place.folder, 'sent.txt') } } };
        const { exitCode, stdout } = await farm.run([served]).finished;
        expect(stdout).toContain('1 case: 1 passed');
        expect(exitCode).toBe(0);
        expect(await redis.keys(`${prefix}:file:*`)).toEqual([]);
        const files = readdirSync(store, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
        const contents = files.map((one) => readFileSync(join(one.parentPath, one.name), 'latin1'));
        expect(contents).toContain('sent');
        // Bundles are gone once they are recorded.
        expect(contents.filter((text) => text.startsWith('PK'))).toEqual([]);
        worker.kill('SIGINT');
        await worker.finished;
      },
      { joining: ['--store', store] },
    );
  });
});

const asRoot = process.getuid?.() === 0 ? ['-m'] : ['-rm'];
const mayMount = spawnSync('unshare', [...asRoot, 'sh', '-c', 'mount -t tmpfs none /tmp']).status === 0;
/** With a disk of its own for temporary files, of 16 KiB. */
const onSmallDisk: [string, ...string[]] = [
  'unshare',
  ...asRoot,
  ...['sh', '-c', 'mount -t tmpfs -o size=16k none "$TMPDIR" && exec "$@"', 'sh'],
];

describe.skipIf(!mayMount)('a worker whose disk is full', () => {
  it('puts its cell back for another worker', async () => {
    await onFarm(async (farm) => {
      const { place } = farm;
      const full = farm.workerBy(onSmallDisk, 'full');
      const run = farm.run([quick('a')], '--farm-wait', '300');
      const putBack = `${idOf('a')}: put back for another worker`;
      await until('the full disk', () => full.said.stderr.includes(putBack), 120_000);
      const other = farm.worker('other');
      const { exitCode } = await run.finished;
      expect(statuses(place)).toEqual({ a: 'passed' });
      expect(resultsIn(place).notes).toContain('cells by worker of the farm: other 1');
      expect(exitCode).toBe(0);
      for (const worker of [full, other]) worker.kill('SIGINT');
      for (const worker of [full, other]) await worker.finished;
    });
  });
});

/** One that nobody listens on. */
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

/** Everything that a run left, and what was said. */
function saidIn({ folder }: Workplace, ...said: string[]): string[] {
  const out = join(folder, 'out');
  const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return [...said, ...files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))];
}

describe('a Redis with TLS and users', () => {
  let folder = '';
  folderOfTest((made) => {
    folder = made;
  });

  it('is used with a certificate that is checked, by a user that may do no more than it must', async () => {
    const authority = await makeAuthority();
    const { key, cert } = await authority.issue({ dns: ['localhost'], ip: ['127.0.0.1'] });
    const write = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const tls = ['--tls-cert-file', write('cert.pem', cert), '--tls-key-file', write('key.pem', key)];
    const port = String(await freePort());
    const secret = 'hunter2-hunter2';
    const rights = ['~netboot-farm:*', '&netboot-farm:*', '+@all', '-@admin', '-@dangerous', '+info'];
    const users = ['--user', 'farm', 'on', `>${secret}`, ...rights, '--user', 'default', 'off'];
    await onFarm(
      async (farm) => {
        const { place } = farm;
        const worker = farm.worker('one');
        const run = await farm.run([quick('a')]).finished;
        expect(run.stdout).toContain('1 case: 1 passed');
        expect(run.exitCode).toBe(0);
        worker.kill('SIGINT');
        const served = await worker.finished;
        const said = saidIn(place, run.stdout, run.stderr, served.stdout, served.stderr);
        expect(said.length).toBeGreaterThan(10);
        expect(said.filter((text) => text.includes(secret))).toEqual([]);
        place.env.NETBOOT_FARM_USER = 'stranger';
        const denied = await farm.run([quick('a')]).finished;
        expect(denied.stderr).toContain('Set NETBOOT_FARM_PASSWORD, and NETBOOT_FARM_USER');
        expect(denied.exitCode).toBe(3);
        delete place.env.NODE_EXTRA_CA_CERTS;
        const unknown = await farm.run([quick('a')]).finished;
        expect(unknown.stderr).toMatch(/no Redis can be used there: .*certificate/);
        expect(unknown.exitCode).toBe(3);
      },
      {
        redis: ['--tls-port', port, ...tls, '--tls-auth-clients', 'no', ...users],
        address: `rediss://localhost:${port}`,
        env: {
          NETBOOT_FARM_USER: 'farm',
          NETBOOT_FARM_PASSWORD: secret,
          NODE_EXTRA_CA_CERTS: write('authority.pem', authority.pem),
        },
      },
    );
  });
});
