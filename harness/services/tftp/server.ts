import { tableBounds } from '../../model/bounds.ts';
import type { EventSink, UntimedEvent } from '../../model/events.ts';
import { globMatches } from '../../model/glob.ts';
import { nameOf } from '../../model/served-name.ts';
import type { FaultOf } from '../../model/server-faults.ts';
import {
  encodeError,
  errorCodes,
  opcodeOf,
  opcodes,
  parseTftp,
  type TftpRequest,
  tftpPort,
} from '../../wire/codecs/tftp.ts';
import { createGuard } from '../../wire/guard.ts';
import type { Datagram, UdpEndpoint, UdpPeer } from '../../wire/stack/udp-endpoint.ts';
import { type Clock, createLater, guardedClock } from '../clock.ts';
import { type ChosenFaults, noFaults, type ServerFaults } from '../faults.ts';
import type { ServedEntry } from '../tree/served-entry.ts';
import type { ServedTree } from '../tree/served-tree.ts';
import { ignores, negotiate } from './negotiate.ts';
import { type Opened, openRequested } from './open-requested.ts';
import { Sender } from './sender.ts';
import { resized, sendingBlocks } from './spoiled-blocks.ts';
import { createTransferTable, type Transfer } from './transfer-table.ts';

export interface TftpServices {
  readonly tree: ServedTree;
  readonly emit: EventSink;
  readonly clock: Clock;
  readonly faults?: ServerFaults<'tftp'>;
}

type Outcome = Extract<UntimedEvent, { source: 'tftp'; type: 'transfer' }>['outcome'];

const ipv6ExtraHeaderBytes = 20;
const dataHeaderBytes = 4;

/**
 * A read-only TFTP server (RFC 1350, 2347, 2348, 2349, 7440) on port 69 of `udp`. Each transfer has a
 * port of its own and ends in one `tftp/transfer` event. Malformed datagrams are dropped or refused.
 */
export function startTftp(udp: UdpEndpoint, services: TftpServices): { close(): void } {
  const { tree, emit, faults = noFaults } = services;
  const guard = createGuard(emit);
  const clock = guardedClock(services.clock, guard, 'a TFTP timer');
  const transfers = createTransferTable(clock);
  const later = createLater(clock);
  const report = reportTo(emit, clock);
  /** Files being looked up, including those of transfers that have ended meanwhile. */
  let opening = 0;

  function end(transfer: Transfer, outcome: Outcome, note?: string): void {
    if (!transfers.remove(transfer)) return;
    transfer.sending?.sender.stop();
    transfer.sending?.port.close();
    report(transfer, outcome, note);
  }

  /** Refuses from a new port, as any transfer would start. */
  function refuse(peer: UdpPeer, code: number, message: string): void {
    const port = udp.bindEphemeral(() => {});
    port.send(encodeError(code, message), peer);
    port.close();
  }

  /** Makes room for a transfer if the table is full; false if it cannot. */
  function admit(transfer: Transfer): boolean {
    const crowd = transfers.crowded();
    if (crowd?.silent) end(crowd.silent, 'aborted', 'a silent transfer, dropped to make room for another');
    if ((!crowd || crowd.silent) && opening < tableBounds.tftpTransfers) return true;
    refuse(transfer.peer, errorCodes.undefined, 'Too many transfers');
    report(transfer, 'refused', `${tableBounds.tftpTransfers} transfers are under way`);
    return false;
  }

  function ask(request: TftpRequest, { mac, ip, port }: UdpPeer): void {
    const transfer: Transfer = { request, peer: { mac, ip, port }, startedMs: clock.now() };
    const running = transfers.at(transfer.peer);
    // A repeated request: its transfer is in progress and retransmits by itself. A guest that was reset
    // may reuse the same port, though.
    if (running && sameRequest(running.request, request) && !running.sending?.sender.stalled) return;
    if (running) end(running, 'aborted', 'the guest started again from the same port');
    if (!admit(transfer)) return;
    transfers.add(transfer);
    open(transfer);
  }

  function faultsOf({ file, options }: TftpRequest, opened: Opened): ChosenFaults<'tftp'> {
    return faults.choose({
      what: file,
      matches: (match) => match.file === undefined || globMatches(match.file, nameOf(file)),
      concerns(action, value) {
        // These are of any request, the others of a transfer.
        if (action === 'silent' || action === 'delayMs') return true;
        if (opened.kind !== 'file') return false;
        if (action === 'refuseOptions') return options.size > 0;
        if (action !== 'ignoreOptions') return true;
        return [...options.keys()].some((name) =>
          ignores(value as NonNullable<FaultOf<'tftp'>['ignoreOptions']>, name),
        );
      },
    });
  }

  const open = guard('a TFTP transfer', async (transfer: Transfer) => {
    opening++;
    const opened = await openRequested(tree, transfer.request);
    opening--;
    if (!transfers.has(transfer)) return;
    const chosen = faultsOf(transfer.request, opened);
    if (chosen.take('silent')) {
      transfers.remove(transfer);
      return;
    }
    const delayMs = chosen.take('delayMs');
    if (delayMs === undefined) answer(transfer, opened, chosen);
    else later.call(() => answer(transfer, opened, chosen), delayMs);
  });

  function answer(transfer: Transfer, opened: Opened, chosen: ChosenFaults<'tftp'>): void {
    if (!transfers.has(transfer)) return;
    if (opened.kind === 'file' && chosen.take('refuseOptions')) {
      refuse(transfer.peer, errorCodes.badOptions, 'Options are refused');
      end(transfer, 'refused', 'a fault of the scenario: options are refused');
    } else if (opened.kind === 'file') serve(transfer, opened, chosen);
    else {
      refuse(transfer.peer, opened.code, opened.message);
      end(transfer, opened.outcome, opened.note);
    }
  }

  function serve(transfer: Transfer, file: ServedEntry, chosen: ChosenFaults<'tftp'>): void {
    const { request, peer } = transfer;
    const sent = resized(file, chosen.get('lengthOff') ?? 0);
    const headers = dataHeaderBytes + (peer.ip.includes(':') ? ipv6ExtraHeaderBytes : 0);
    const limits = { fileBytes: file.bytes, maxBlockBytes: udp.maxPayloadBytes - headers, faults: chosen };
    const terms = negotiate(request.options, limits);
    const wholeBlocks = Math.floor(Math.min(sent.bytes, file.bytes) / terms.blockBytes);
    const port = udp.bindEphemeral((datagram) => receive(transfer, datagram));
    const sender = new Sender(sent, terms, {
      guard,
      send: sendingBlocks(chosen, sent.bytes === file.bytes ? undefined : wholeBlocks + 1, {
        send: (packet) => port.send(packet, peer),
        sendFromElsewhere(packet) {
          const other = udp.bindEphemeral(() => {});
          other.send(packet, peer);
          other.close();
        },
        fail() {
          port.send(encodeError(errorCodes.undefined, 'A fault of the scenario'), peer);
          end(transfer, 'aborted', 'a fault of the scenario: an error in place of a block');
        },
      }),
      end(outcome, note) {
        if (outcome === 'unreadable') port.send(encodeError(errorCodes.undefined, 'The file became unreadable'), peer);
        end(transfer, outcome === 'unreadable' ? 'refused' : outcome, note);
      },
    });
    transfer.sending = { sender, port };
    sender.start();
  }

  function receive(transfer: Transfer, { from, payload }: Datagram): void {
    const { peer, sending } = transfer;
    const opcode = opcodeOf(payload);
    if (from.port !== peer.port || from.ip !== peer.ip) {
      // Never answer an ERROR with another: two servers could loop endlessly.
      if (opcode === 0 || opcode === opcodes.error) return;
      sending?.port.send(encodeError(errorCodes.unknownTid, 'Unknown transfer ID'), from);
    } else if (opcode === opcodes.ack) sending?.sender.acknowledge(payload);
    else if (opcode === opcodes.error) {
      const packet = parseTftp(payload);
      if (packet.kind === 'error') end(transfer, 'aborted', `guest: error ${packet.code} ${packet.message}`.trimEnd());
    }
  }

  const listener = udp.bind(tftpPort, ({ from, payload }) => {
    if (opcodeOf(payload) !== opcodes.rrq && opcodeOf(payload) !== opcodes.wrq) return;
    const packet = parseTftp(payload);
    if (packet.kind === 'malformed') refuse(from, errorCodes.illegalOperation, packet.reason);
    else if (packet.kind === 'rrq') ask(packet, from);
    else if (packet.kind === 'wrq') {
      refuse(from, errorCodes.accessViolation, 'This server is read-only');
      report({ request: packet, peer: from, startedMs: clock.now() }, 'refused', 'a write request');
    }
  });

  return {
    close() {
      later.cancel();
      listener.close();
      for (const transfer of transfers.all()) end(transfer, 'aborted', 'the server was closed');
      transfers.close();
    },
  };
}

function reportTo(emit: EventSink, clock: Clock) {
  return ({ request, startedMs, sending }: Transfer, outcome: Outcome, note?: string): void =>
    emit({
      source: 'tftp',
      type: 'transfer',
      file: nameOf(request.file),
      outcome,
      bytes: sending?.sender.deliveredBytes ?? 0,
      retransmissions: sending?.sender.retransmissions ?? 0,
      ms: clock.now() - startedMs,
      ...(note === undefined ? {} : { note }),
    });
}

function sameRequest(one: TftpRequest, other: TftpRequest): boolean {
  return one.file === other.file && one.mode === other.mode && String([...one.options]) === String([...other.options]);
}
