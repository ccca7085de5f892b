import { availableParallelism, totalmem } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openCapacity } from '../../harness/os/capacity.ts';
import { folderOfTest } from '../temporary-folder.ts';
import { guests, pods, showFiles, wideHost } from './fake-kernel.ts';

let root: string;
folderOfTest((made) => {
  root = made;
});

describe('the capacity of a host', () => {
  it('without limits is all that it has', () => {
    showFiles(root, { ...wideHost, 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/cpu.stat': 'usage_usec 1' });
    const { cores, availableMemoryMiB } = openCapacity(root);
    expect(cores).toBe(4);
    expect(availableMemoryMiB()).toBe(48 * 1024);
  });

  it('with no Linux kernel is what Node says', () => {
    const { cores, memoryMiB, availableMemoryMiB } = openCapacity(root);
    expect(cores).toBe(availableParallelism());
    expect(memoryMiB).toBeLessThanOrEqual(totalmem() / (1 << 20));
    expect(availableMemoryMiB()).toBeGreaterThan(0);
  });

  it('goes by the CPUs that the process may run on', () => {
    showFiles(root, { ...wideHost, 'proc/self/status': 'Cpus_allowed_list:\t0,2-3' });
    expect(openCapacity(root).cores).toBe(3);
  });

  it.each(Object.entries(pods))('in control groups of %s is what they allow', (_, files) => {
    showFiles(root, { ...wideHost, ...files });
    const { cores, memoryMiB, availableMemoryMiB } = openCapacity(root);
    expect({ cores, memoryMiB, availableMiB: availableMemoryMiB() }).toEqual({
      cores: 1.5,
      memoryMiB: 1024,
      // Page cache is given back when it is wanted.
      availableMiB: 1024 - 200,
    });
  });

  it('is bounded by whichever group has least left', () => {
    showFiles(root, {
      ...wideHost,
      ...pods['version 2'],
      'sys/fs/cgroup/pod/memory.max': 2048 * (1 << 20),
      'sys/fs/cgroup/pod/memory.current': 1900 * (1 << 20),
    });
    const { memoryMiB, availableMemoryMiB } = openCapacity(root);
    expect(memoryMiB).toBe(1024);
    expect(availableMemoryMiB()).toBe(148);
  });

  it('minds the limit above which the kernel slows a group down', () => {
    showFiles(root, { ...wideHost, ...pods['version 2'] });
    showFiles(root, { 'sys/fs/cgroup/pod/container/memory.high': 512 * (1 << 20) });
    expect(openCapacity(root).availableMemoryMiB()).toBe(512 - 200);
  });
});

describe('the load of a host', () => {
  const stat = (...cpus: string[]) => ({ 'proc/stat': cpus.map((times, cpu) => `cpu${cpu} ${times}`).join('\n') });

  it('is that of the CPUs that the process may run on', () => {
    showFiles(root, { ...wideHost, 'proc/self/status': 'Cpus_allowed_list:\t1' });
    const { load } = openCapacity(root);
    showFiles(root, stat('9 9 9 100 0 0 0 0 0 0', '20 0 10 170 0 0 0 0 20 0'));
    expect(load()).toBe(0.3);
  });

  it('is not told anew before the clocks have ticked', () => {
    showFiles(root, wideHost);
    const { load } = openCapacity(root);
    showFiles(root, stat('3 0 0 100 0 0 0 0 0 0', '0 0 0 100 0 0 0 0 0 0'));
    expect(load()).toBe(0);
  });

  it('is divided by whose it is: that of this process and its children', async () => {
    showFiles(root, { ...wideHost, ...guests([500, 700]) });
    const { cores, ownLoad } = openCapacity(root);
    const begun = performance.now();
    while (performance.now() - begun < 100) await nextTurn();
    showFiles(root, guests([600, 700, 300]));
    const elapsedMs = performance.now() - begun;
    // 1 s by a known child, 3 s by a new one, and what this process itself used, one core at most.
    const children = 4000 / (cores * elapsedMs);
    const own = ownLoad() ?? 0;
    expect(own).toBeGreaterThan(children * 0.9);
    expect(own).toBeLessThan(children + 1);
  });

  it('of its own is unknown where the kernel does not list children', () => {
    showFiles(root, wideHost);
    expect(openCapacity(root).ownLoad()).toBeUndefined();
  });

  it('is full where the quota is used up, however idle the CPUs are', () => {
    showFiles(root, { ...wideHost, ...pods['version 2'] });
    const { load } = openCapacity(root);
    const idle = '0 0 0 200 0 0 0 0 0 0';
    showFiles(root, { ...stat(idle, idle, idle, idle), 'sys/fs/cgroup/pod/cpu.stat': 'usage_usec 605000000' });
    expect(load()).toBeGreaterThan(1);
  });
});
