import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Writes files below `root` as a kernel would show them. */
export function showFiles(root: string, files: Readonly<Record<string, string | number>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
}

/** A host of four idle CPUs with memory enough for anything. */
export const wideHost = {
  'proc/self/status': 'Name:\tnode\nCpus_allowed_list:\t0-3',
  'proc/meminfo': 'MemTotal:       67108864 kB\nMemAvailable:   50331648 kB',
  'proc/stat': ['cpu  0 0 0 400 0 0 0 0 0 0', ...[0, 1, 2, 3].map((cpu) => `cpu${cpu} 0 0 0 100 0 0 0 0 0 0`)].join(
    '\n',
  ),
};

/** Children of this process that have used so many clock ticks of 10 ms. */
export const guests = (ticks: readonly number[]) => ({
  [`proc/self/task/${process.pid}/children`]: ticks.map((_, nth) => 100 + nth).join(' '),
  ...Object.fromEntries(
    ticks.map((used, nth) => [
      `proc/${100 + nth}/stat`,
      `${100 + nth} (qemu (x) 1) S 1 1 1 0 -1 0 0 0 0 0 ${used} 0 0 0 20 0 4 0 7`,
    ]),
  ),
});

const mebibyte = 1 << 20;

/** A pod with a CPU and a half and 1 GiB, 300 MiB of it in use, 100 MiB of those page cache. */
export const pods = {
  'version 2': {
    'proc/self/cgroup': '0::/pod/container',
    'sys/fs/cgroup/pod/cpu.max': '150000 100000',
    'sys/fs/cgroup/pod/cpu.stat': 'usage_usec 5000000\nuser_usec 5000000',
    'sys/fs/cgroup/pod/memory.max': 'max',
    'sys/fs/cgroup/pod/container/cpu.max': 'max 100000',
    'sys/fs/cgroup/pod/container/memory.max': 1024 * mebibyte,
    'sys/fs/cgroup/pod/container/memory.high': 'max',
    'sys/fs/cgroup/pod/container/memory.current': 300 * mebibyte,
    'sys/fs/cgroup/pod/container/memory.stat': `anon 5\ninactive_file ${100 * mebibyte}\nactive_file 7`,
  },
  'version 1, its own part of the tree mounted': {
    'proc/self/cgroup': '5:memory:/docker/4711\n4:cpu,cpuacct:/docker/4711\n1:name=systemd:/docker/4711\n0::/',
    'sys/fs/cgroup/cpu/cpu.cfs_quota_us': 150_000,
    'sys/fs/cgroup/cpu/cpu.cfs_period_us': 100_000,
    'sys/fs/cgroup/cpu/cpuacct.usage': 5_000_000_000,
    'sys/fs/cgroup/memory/memory.limit_in_bytes': 1024 * mebibyte,
    'sys/fs/cgroup/memory/memory.usage_in_bytes': 300 * mebibyte,
    'sys/fs/cgroup/memory/memory.stat': `total_cache 9\ntotal_inactive_file ${100 * mebibyte}`,
  },
} as const;
