import { tableBounds } from '../../model/bounds.ts';
import type { TftpRequest } from '../../wire/codecs/tftp.ts';
import type { UdpPeer, UdpPort } from '../../wire/stack/udp-endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Sender } from './sender.ts';

/** One read request and its progress; `sending` once its file is open. */
export interface Transfer {
  readonly request: TftpRequest;
  readonly peer: UdpPeer;
  readonly startedMs: number;
  sending?: { readonly sender: Sender; readonly port: UdpPort };
}

/** Transfers in progress, one for each port of the guest. */
export interface TransferTable {
  at(peer: UdpPeer): Transfer | undefined;
  has(transfer: Transfer): boolean;
  /** Set if the table is full; `silent` is a transfer whose guest has gone silent and which may be dropped. */
  crowded(): { silent: Transfer | undefined } | undefined;
  add(transfer: Transfer): void;
  /** False if it was already gone. */
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
    // First, so that the other transfers continue if one of them fails.
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
