import { readFileSync } from 'node:fs';

/** Sockets of a network namespace, as /proc/PID/net shows them (Linux proc(5)). */
export interface BoundPorts {
  readonly udp: ReadonlySet<number>;
  readonly tcp: ReadonlySet<number>;
  /** Sockets that receive packets without a port. */
  readonly raw: number;
}

const listening = '0A';

function rowsOf(pid: number, table: string): string[][] {
  try {
    const [, ...lines] = readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n');
    return lines.map((line) => line.trim().split(/\s+/)).filter((fields) => fields.length > 3);
  } catch {
    return [];
  }
}

/** The local port is the hexadecimal number after the colon of the second field; the fourth is the state. */
const portOf = ([, local = '']: string[]): number => Number.parseInt(local.split(':')[1] ?? '', 16);

/**
 * What is bound in the network namespace of a process, each read when it is asked for: for TCP the kernel looks through its
 * whole table of connections, which takes milliseconds.
 */
export function boundPortsOf(pid: number): BoundPorts {
  const rows = (...tables: string[]): string[][] => tables.flatMap((table) => rowsOf(pid, table));
  return {
    get udp() {
      return new Set(rows('udp', 'udp6').map(portOf));
    },
    get tcp() {
      return new Set(
        rows('tcp', 'tcp6')
          .filter(([, , , state]) => state === listening)
          .map(portOf),
      );
    },
    get raw() {
      return rows('raw', 'raw6', 'packet').length;
    },
  };
}

export function boundText({ udp, tcp, raw }: BoundPorts): string {
  const list = (protocol: string, ports: ReadonlySet<number>) =>
    [...ports].sort((a, b) => a - b).map((port) => `${protocol} ${port}`);
  const all = [...list('UDP', udp), ...list('TCP', tcp), ...(raw > 0 ? [`${raw} raw sockets`] : [])];
  return all.length === 0 ? 'nothing' : all.join(', ');
}
