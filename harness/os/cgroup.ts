import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Limits that this process's control group or an ancestor sets; undefined where there is no limit. */
export interface Cgroup {
  /** CPU quota in CPUs, such as 1.5, and CPU time used by the whole group, in ms (0 if not reported). */
  cpu: { cpus: number; usedMs(): number } | undefined;
  memory: { limitBytes: number; freeBytes(): number } | undefined;
}

/** File names of one cgroup version, in a group's folder (Linux, Documentation/admin-guide/cgroup-v1/ and cgroup-v2.rst). */
interface Files {
  cpus(group: string): number | undefined;
  cpuUsedMs(group: string): number;
  memoryLimit(group: string): number | undefined;
  /** Excluding page cache, which the kernel reclaims first. */
  memoryUsed(group: string): number;
}

function read(...path: string[]): string {
  try {
    return readFileSync(join(...path), 'latin1').trim();
  } catch {
    return '';
  }
}

/** No limit is `max` in version 2; -1 in version 1, or for memory an absurdly large number. */
function limit(text: string | undefined): number | undefined {
  const value = /^\d+$/.test(text ?? '') ? Number(text) : 0;
  return value > 0 && value < Number.MAX_SAFE_INTEGER ? value : undefined;
}

function quota([part, whole]: readonly (string | undefined)[]): number | undefined {
  const [partUs, wholeUs] = [limit(part), limit(whole)];
  return partUs === undefined || wholeUs === undefined ? undefined : partUs / wholeUs;
}

/** The value of one line in a file of `name value` lines. */
const row = (text: string, name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);

const version1: Files = {
  cpus: (group) => quota([read(group, 'cpu.cfs_quota_us'), read(group, 'cpu.cfs_period_us')]),
  // Present where `cpu` and `cpuacct` are mounted together, as systemd does.
  cpuUsedMs: (group) => Number(read(group, 'cpuacct.usage')) / 1e6,
  memoryLimit: (group) => limit(read(group, 'memory.limit_in_bytes')),
  memoryUsed: (group) =>
    Number(read(group, 'memory.usage_in_bytes')) - row(read(group, 'memory.stat'), 'total_inactive_file'),
};

const version2: Files = {
  cpus: (group) => quota(read(group, 'cpu.max').split(' ')),
  cpuUsedMs: (group) => row(read(group, 'cpu.stat'), 'usage_usec') / 1e3,
  memoryLimit(group) {
    const limits = ['memory.max', 'memory.high'].flatMap((name) => limit(read(group, name)) ?? []);
    return limits.length > 0 ? Math.min(...limits) : undefined;
  },
  memoryUsed: (group) => Number(read(group, 'memory.current')) - row(read(group, 'memory.stat'), 'inactive_file'),
};

/** The process's group for a controller, and its ancestors up to the mount's root. */
function groupsOf(root: string, controller: 'cpu' | 'memory'): { files: Files; groups: string[] } {
  const memberships = read(root, 'proc/self/cgroup')
    .split('\n')
    .map((line) => /^\d+:(?<controllers>[^:]*):(?<path>\/.*)$/.exec(line)?.groups);
  const old = memberships.find((found) => found?.controllers?.split(',').includes(controller));
  const membership = old ?? memberships.find((found) => found?.controllers === '');
  const mount = join(root, 'sys/fs/cgroup', old ? controller : '');
  const groups: string[] = [];
  // In a container this may be the host's path, whose upper part is not visible here.
  for (let path = membership?.path ?? '/'; path !== '/'; path = dirname(path)) groups.push(join(mount, path));
  return { files: old ? version1 : version2, groups: [...groups, mount] };
}

function smallest<T extends { limit: number }>(limits: readonly T[]): T | undefined {
  return limits.toSorted((a, b) => a.limit - b.limit)[0];
}

/** Reads procfs and cgroupfs below `root`; other systems report no limits. */
export function openCgroup(root = '/'): Cgroup {
  const limitsOf = (controller: 'cpu' | 'memory', limitOf: (files: Files, group: string) => number | undefined) => {
    const { files, groups } = groupsOf(root, controller);
    return groups.flatMap((group) => {
      const found = limitOf(files, group);
      return found === undefined ? [] : [{ files, group, limit: found }];
    });
  };
  const cpu = smallest(limitsOf('cpu', (files, group) => files.cpus(group)));
  const memories = limitsOf('memory', (files, group) => files.memoryLimit(group));
  const memory = smallest(memories);
  return {
    cpu: cpu && { cpus: cpu.limit, usedMs: () => cpu.files.cpuUsedMs(cpu.group) },
    memory: memory && {
      limitBytes: memory.limit,
      freeBytes: () => Math.min(...memories.map(({ files, group, limit: bytes }) => bytes - files.memoryUsed(group))),
    },
  };
}
