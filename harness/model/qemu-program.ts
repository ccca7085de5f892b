import type { Arch } from './axes.ts';

/** QEMU's program for guests of this architecture, as every build of it calls it. */
export const qemuProgramOf = (arch: Arch): string => `qemu-system-${arch}`;
