import type { AttemptRecord, RecordedEvent } from '../../report-data.ts';
import { bytes, duration, rate } from '../format.ts';
import type { Lane, Span } from './lane.ts';

/** A requested file, until its outcome is known. */
interface Asked {
  protocol: string;
  file: string;
  startMs: number;
  /** HEAD: no body will follow. */
  sizeOnly?: boolean;
}

const sizeOnly = 'asked for its size only';
const nameOf = (file: string): string => file.split('/').at(-1) || file;

function delivered({ protocol, file, startMs }: Asked, endMs: number, count: number): Span {
  const ms = endMs - startMs;
  const size = bytes(count);
  return {
    startMs,
    endMs,
    kind: 'transfer',
    label: `${nameOf(file)} ${size}, ${rate(count, ms)}`,
    detail: `${protocol} ${file}: ${size} in ${duration(ms)}, ${rate(count, ms)}`,
  };
}

function notDelivered({ protocol, file, startMs }: Asked, endMs: number, kind: Span['kind'], why: string): Span {
  return { startMs, endMs, kind, label: `${nameOf(file)}: ${why}`, detail: `${protocol} ${file}: ${why}` };
}

/** Firmware asks for a file's size first and aborts that transfer, which is normal. */
const tftpErrorText = ({ from, code, message }: Extract<RecordedEvent, { type: 'tftp-error' }>): string =>
  from === 'guest' && code === 8 ? sizeOnly : `${message || `error ${code}`} (said the ${from})`;

export function transferLane({ events, durationMs }: AttemptRecord): Lane {
  const open = new Map<string, Asked>();
  const spans: Span[] = [];
  const take = (key: string, otherwise: Asked): Asked => {
    const asked = open.get(key) ?? otherwise;
    open.delete(key);
    return asked;
  };

  for (const event of events) {
    if (event.source !== 'wire') continue;
    const { tMs } = event;
    if (event.type === 'tftp-request') {
      open.set(`tftp ${event.port}`, { protocol: 'TFTP', file: event.file, startMs: tMs });
    } else if (event.type === 'tftp-complete') {
      const asked = { protocol: 'TFTP', file: event.file, startMs: tMs - event.ms };
      spans.push(delivered(take(`tftp ${event.port}`, asked), tMs, event.bytes));
    } else if (event.type === 'tftp-error') {
      const asked = take(`tftp ${event.port}`, { protocol: 'TFTP', file: event.file, startMs: tMs });
      spans.push(notDelivered(asked, tMs, 'refused', tftpErrorText(event)));
    } else if (event.type === 'http-request') {
      const size = event.method === 'HEAD' ? { sizeOnly: true } : {};
      open.set(`http ${event.target}`, { protocol: 'HTTP', file: event.target, startMs: tMs, ...size });
    } else if (event.type === 'http-response') {
      const key = `http ${event.target}`;
      const asked = open.get(key) ?? { protocol: 'HTTP', file: event.target, startMs: tMs };
      const where = event.location === undefined ? '' : ` to ${event.location}`;
      if (event.status >= 300)
        spans.push(notDelivered(take(key, asked), tMs, 'refused', `status ${event.status}${where}`));
      else if (asked.sizeOnly) spans.push(notDelivered(take(key, asked), tMs, 'refused', sizeOnly));
    } else if (event.type === 'http-complete' && event.status < 300) {
      const asked = { protocol: 'HTTP', file: event.target, startMs: tMs - event.ms };
      spans.push(delivered(take(`http ${event.target}`, asked), tMs, event.bytes));
    } else if (event.type === 'http-cut-short') {
      const asked = take(`http ${event.target}`, { protocol: 'HTTP', file: event.target, startMs: tMs });
      spans.push(notDelivered(asked, tMs, 'broken', `cut short after ${bytes(event.bytes)}`));
    } else if (event.type === 'tftp-stalled') {
      const asked = take(`tftp ${event.port}`, { protocol: 'TFTP', file: event.file, startMs: tMs });
      spans.push(notDelivered(asked, tMs, 'broken', `stalled at block ${event.block}`));
    } else if (event.type === 'nfs-complete') {
      spans.push(delivered({ protocol: 'NFS', file: event.file, startMs: tMs - event.ms }, tMs, event.bytes));
    } else if (event.type === 'nfs-lookup' && event.status !== 0) {
      const asked = { protocol: 'NFS', file: event.file, startMs: tMs };
      spans.push(notDelivered(asked, tMs, 'refused', `LOOKUP status ${event.status}`));
    }
  }
  for (const asked of open.values()) spans.push(notDelivered(asked, durationMs, 'unknown', 'its end was not seen'));
  return { name: 'transfers', mostRows: 6, spans, ticks: [] };
}
