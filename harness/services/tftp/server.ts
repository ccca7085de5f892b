import type { EventSink, UntimedEvent } from '../../model/events.ts';
import { nameOf } from '../../model/served-name.ts';
import {
  encodeError,
  errorCodes,
  opcodeOf,
  opcodes,
  parseTftp,
  type TftpRequest,
  tftpPort,
} from '../../wire/codecs/tftp.ts';
import type { Datagram, UdpHost, UdpPeer, UdpPort } from '../../wire/stack/udp-host.ts';
import type { Clock } from '../clock.ts';
import type { ServedTree } from '../tree/served-tree.ts';
import { negotiate } from './negotiate.ts';
import { openRequested } from './open-requested.ts';
import { Sender } from './sender.ts';

export interface TftpServices {
  readonly tree: ServedTree;
  readonly emit: EventSink;
  readonly clock: Clock;
}

type Outcome = Extract<UntimedEvent, { source: 'tftp' }>['outcome'];

/** One read request and what became of it; `sender` and `port` are there once the file is open. */
interface Transfer {
  readonly request: TftpRequest;
  readonly peer: UdpPeer;
  readonly startedMs: number;
  readonly sender?: Sender;
  readonly port?: UdpPort;
}

const maxTransfers = 64;
/** Resolution of all timeouts: one timer for all transfers, none per block. */
const tickMs = 100;
const ipv6ExtraHeaderBytes = 20;
const dataHeaderBytes = 4;

/**
 * A read-only TFTP server (RFC 1350, 2347, 2348, 2349, 7440) on port 69 of `host`. Each transfer has a
 * port of its own and ends in one `tftp/transfer` event. Malformed datagrams are dropped or refused.
 */
export function startTftp(host: UdpHost, { tree, emit, clock }: TftpServices): { close(): void } {
  const transfers = new Map<string, Transfer>();
  let cancelTick: (() => void) | undefined;
  let closed = false;

  const report = (transfer: Transfer, outcome: Outcome, note?: string): void => {
    const { request, startedMs, sender } = transfer;
    emit({
      source: 'tftp',
      type: 'transfer',
      file: nameOf(request.file),
      outcome,
      bytes: sender?.deliveredBytes ?? 0,
      retransmissions: sender?.retransmissions ?? 0,
      ms: clock.now() - startedMs,
      ...(note === undefined ? {} : { note }),
    });
  };

  const end = (transfer: Transfer, outcome: Outcome, note?: string): void => {
    const key = keyOf(transfer.peer);
    if (transfers.get(key) !== transfer) return;
    transfers.delete(key);
    transfer.sender?.stop();
    transfer.port?.close();
    report(transfer, outcome, note);
  };

  /** Refuses from a port of its own, as any transfer would begin. */
  const refuse = (peer: UdpPeer, code: number, message: string): void => {
    const port = host.bindEphemeral(() => {});
    port.send(encodeError(code, message), peer);
    port.close();
  };

  const tick = (): void => {
    for (const { sender } of transfers.values()) sender?.tick(tickMs);
    cancelTick = transfers.size > 0 && !closed ? clock.setTimer(tick, tickMs) : undefined;
  };

  const serve = async (opening: Transfer): Promise<void> => {
    const { request, peer, startedMs } = opening;
    const opened = await openRequested(tree, request);
    if (transfers.get(keyOf(peer)) !== opening) return;
    if (opened.kind === 'refused') {
      refuse(peer, opened.code, opened.message);
      end(opening, opened.outcome, opened.note);
      return;
    }
    const headers = dataHeaderBytes + (peer.ip.includes(':') ? ipv6ExtraHeaderBytes : 0);
    const terms = negotiate(request.options, {
      fileBytes: opened.bytes,
      maxBlockBytes: host.maxPayloadBytes - headers,
    });
    const sender = new Sender(opened, terms, {
      send: (packet) => port.send(packet, peer),
      end: (outcome, note) => {
        if (outcome === 'unreadable') port.send(encodeError(errorCodes.undefined, 'The file became unreadable'), peer);
        end(transfer, outcome === 'unreadable' ? 'refused' : outcome, note);
      },
    });
    const port = host.bindEphemeral((datagram) => receive(transfer, sender, port, datagram));
    const transfer: Transfer = { request, peer, startedMs, sender, port };
    transfers.set(keyOf(peer), transfer);
    sender.start();
  };

  const receive = (transfer: Transfer, sender: Sender, port: UdpPort, { from, payload }: Datagram): void => {
    const opcode = opcodeOf(payload);
    if (from.port !== transfer.peer.port || from.ip !== transfer.peer.ip) {
      // An ERROR is never answered with one: two servers could go on for ever.
      if (opcode !== 0 && opcode !== opcodes.error) {
        port.send(encodeError(errorCodes.unknownTid, 'Unknown transfer ID'), from);
      }
      return;
    }
    if (opcode === opcodes.ack) sender.acknowledge(payload);
    if (opcode !== opcodes.error) return;
    const packet = parseTftp(payload);
    if (packet.kind === 'error') end(transfer, 'aborted', `guest: error ${packet.code} ${packet.message}`.trimEnd());
  };

  const open = (request: TftpRequest, from: UdpPeer): void => {
    const peer: UdpPeer = { mac: from.mac, ip: from.ip, port: from.port };
    const transfer: Transfer = { request, peer, startedMs: clock.now() };
    const running = transfers.get(keyOf(peer));
    if (running) {
      // A repeated request: its transfer is under way and sends again by itself. A guest that was reset
      // may come back from the same port, though.
      if (sameRequest(running.request, request) && !running.sender?.stalled) return;
      end(running, 'aborted', 'the guest began anew from the same port');
    }
    if (transfers.size >= maxTransfers) {
      refuse(peer, errorCodes.undefined, 'Too many transfers');
      report(transfer, 'refused', `${maxTransfers} transfers are under way`);
      return;
    }
    transfers.set(keyOf(peer), transfer);
    cancelTick ??= clock.setTimer(tick, tickMs);
    void serve(transfer);
  };

  const listener = host.bind(tftpPort, ({ from, payload }) => {
    if (opcodeOf(payload) !== opcodes.rrq && opcodeOf(payload) !== opcodes.wrq) return;
    const packet = parseTftp(payload);
    if (packet.kind === 'malformed') return refuse(from, errorCodes.illegalOperation, packet.reason);
    if (packet.kind === 'rrq') return open(packet, from);
    if (packet.kind !== 'wrq') return;
    refuse(from, errorCodes.accessViolation, 'This server is read-only');
    report({ request: packet, peer: from, startedMs: clock.now() }, 'refused', 'a write request');
  });

  return {
    close() {
      closed = true;
      listener.close();
      for (const transfer of transfers.values()) end(transfer, 'aborted', 'the server was closed');
      cancelTick?.();
    },
  };
}

function keyOf({ ip, port }: UdpPeer): string {
  return `${ip} ${port}`;
}

function sameRequest(one: TftpRequest, other: TftpRequest): boolean {
  return one.file === other.file && one.mode === other.mode && String([...one.options]) === String([...other.options]);
}
