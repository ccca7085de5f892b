import { tableBounds } from '../../model/bounds.ts';
import type { TftpRequest } from '../../wire/codecs/tftp.ts';
import type { UdpPeer, UdpPort } from '../../wire/stack/udp-endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Sender } from './sender.ts';

/** One read request and what becomes of it; `sending` once its file is open. */
export interface Transfer {
  readonly request: TftpRequest;
  readonly peer: UdpPeer;
  readonly startedMs: number;
  sending?: { readonly sender: Sender; readonly port: UdpPort };
}

/** Transfers under way, one for each port of the guest. */
export interface TransferTable {
  at(peer: UdpPeer): Transfer | undefined;
  has(transfer: Transfer): boolean;
  /** Whether one more would be too many; where so, one whose guest has gone silent, that may give way. */
  crowded(): { silent: Transfer | undefined } | undefined;
  add(transfer: Transfer): void;
  /** False where it was not there any more. */
  remove(transfer: Transfer): boolean;
  all(): readonly Transfer[];
  close(): void;
}

/** Resolution of all timeouts: one timer for all transfers, none per block. */
const tickMs = 100;

const keyOf = ({ ip, port }: UdpPeer): string => `${ip} ${port}`;

export function createTransferTable(clock: Clock): TransferTable {
  const transfers = new Map<string, Transfer>();
  let cancelTick: (() => void) | undefined;
  let closed = false;

  function tick(): void {
    // Also where one of them fails: the others go on.
    cancelTick = transfers.size > 0 && !closed ? clock.setTimer(tick, tickMs) : undefined;
    for (const { sending } of [...transfers.values()]) sending?.sender.tick(tickMs);
  }

  const has = (transfer: Transfer): boolean => transfers.get(keyOf(transfer.peer)) === transfer;

  return {
    has,
    at: (peer) => transfers.get(keyOf(peer)),
    crowded() {
      if (transfers.size < tableBounds.tftpTransfers) return undefined;
      return { silent: [...transfers.values()].find(({ sending }) => sending?.sender.silent) };
    },
    add(transfer) {
      transfers.set(keyOf(transfer.peer), transfer);
      cancelTick ??= clock.setTimer(tick, tickMs);
    },
    remove: (transfer) => has(transfer) && transfers.delete(keyOf(transfer.peer)),
    all: () => [...transfers.values()],
    close() {
      closed = true;
      cancelTick?.();
    },
  };
}
