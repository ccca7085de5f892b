import { blockOf, encodeOack, opcodes } from '../../wire/codecs/tftp.ts';
import type { Guard } from '../../wire/guard.ts';
import type { ServedEntry } from '../tree/served-entry.ts';
import type { Terms } from './negotiate.ts';

/** Consecutive timeouts after which the transfer is abandoned. */
const maxTimeouts = 6;
/** Backoff doubles the timeout up to this many times. */
const maxDoublings = 3;

export interface SenderSinks {
  readonly guard: Guard;
  /** `block` is counted without bound; undefined for an OACK. */
  send(packet: Buffer, block?: number): void;
  /** Called once. Nothing is sent after it. */
  end(outcome: 'complete' | 'timed-out' | 'unreadable', note?: string): void;
}

/**
 * The sending side of one read (RFC 1350, 7440). Blocks are counted from 1 without bound here and
 * sent modulo 65,536; `acked` is 0 until the first block is acknowledged.
 *
 * What makes it retransmit:
 * - silence for the timeout: everything after `acked`;
 * - with windowsize > 1, an ACK that says "I have up to here and saw something out of order": an ACK
 *   inside the window, or one that repeats `acked`. But duplicates of our own blocks make guests send
 *   the same ACKs, and answering those with more duplicates would never end (Sorcerer's Apprentice
 *   Syndrome, windowed). So such an ACK counts only for blocks beyond `repeatedUpTo`, the last block ever
 *   sent twice: one stray ACK costs one window, not every later one.
 * With windowsize 1, a repeated ACK never does.
 */
export class Sender {
  readonly #entry: ServedEntry;
  readonly #terms: Terms;
  readonly #sinks: SenderSinks;
  /** The last block: shorter than the others, or empty. */
  readonly #last: number;
  /** One packet per block of the window, so that retransmission does not read the file again. */
  readonly #packets: Buffer[] = [];
  readonly #held: number[] = [];
  #oackPending: boolean;
  #acked = 0;
  #next = 1;
  #sent = 0;
  #repeatedUpTo = 0;
  #retransmissions = 0;
  #quietMs = 0;
  #timeouts = 0;
  #reading = false;
  #ended = false;

  constructor(entry: ServedEntry, terms: Terms, sinks: SenderSinks) {
    this.#entry = entry;
    this.#terms = terms;
    this.#sinks = sinks;
    this.#last = Math.floor(entry.bytes / terms.blockBytes) + 1;
    this.#oackPending = terms.granted.size > 0;
  }

  get retransmissions(): number {
    return this.#retransmissions;
  }

  /** Bytes the guest is known to have. */
  get deliveredBytes(): number {
    return Math.min(this.#acked * this.#terms.blockBytes, this.#entry.bytes);
  }

  /** The guest has missed at least one timeout. */
  get silent(): boolean {
    return this.#timeouts > 0;
  }

  /** The guest has gone silent in the middle of the file. */
  get stalled(): boolean {
    return this.#timeouts > 0 && this.#acked > 0;
  }

  start(): void {
    if (this.#oackPending) this.#sinks.send(encodeOack(this.#terms.granted));
    else this.#pump();
  }

  stop(): void {
    this.#ended = true;
  }

  acknowledge(payload: Buffer): void {
    const wireBlock = blockOf(payload);
    if (this.#ended || wireBlock < 0) return;
    const advance = this.#advanceTo(wireBlock);
    if (this.#oackPending) {
      if (advance !== 0) return;
      this.#oackPending = false;
      this.#answered();
      this.#pump();
      return;
    }
    if (advance > this.#sent - this.#acked) return;
    if (advance > 0) {
      if (this.#acked + advance === this.#last && this.#terms.spoiled?.losesLastAck()) return;
      this.#acked += advance;
      this.#answered();
      if (this.#acked === this.#last) {
        this.#end('complete');
        return;
      }
      this.#next = Math.max(this.#next, this.#acked + 1);
    }
    const gap = this.#terms.windowBlocks > 1 && this.#acked < this.#sent && this.#acked > this.#repeatedUpTo;
    if (gap) this.#next = this.#acked + 1;
    this.#pump();
  }

  /** Called by the coarse timer that all transfers share. */
  tick(elapsedMs: number): void {
    this.#quietMs += elapsedMs;
    if (this.#reading || this.#quietMs < this.#terms.timeoutMs * 2 ** Math.min(this.#timeouts, maxDoublings)) return;
    this.#quietMs = 0;
    this.#timeouts += 1;
    if (this.#timeouts > maxTimeouts) {
      this.#end('timed-out', `no answer to ${this.#oackPending ? 'the OACK' : `block ${this.#acked + 1}`}`);
      return;
    }
    if (this.#oackPending) {
      this.#retransmissions += 1;
      this.#sinks.send(encodeOack(this.#terms.granted));
      return;
    }
    this.#next = this.#acked + 1;
    this.#pump();
  }

  /** How many blocks further than `acked` this number is; more than were sent if it is none of them. */
  #advanceTo(wireBlock: number): number {
    const numberOf = this.#terms.spoiled?.numberOf;
    if (numberOf === undefined) return (wireBlock - this.#acked) & 0xffff;
    let block = this.#acked;
    while (block <= this.#sent && numberOf(block) !== wireBlock) block++;
    return block - this.#acked;
  }

  #answered(): void {
    this.#quietMs = 0;
    this.#timeouts = 0;
  }

  #end(outcome: 'complete' | 'timed-out' | 'unreadable', note?: string): void {
    this.#ended = true;
    this.#sinks.end(outcome, note);
  }

  /** Sends what the window allows; stops to wait for the file, and is called again once it is read. */
  #pump(): void {
    while (
      !this.#ended &&
      !this.#reading &&
      this.#next <= Math.min(this.#acked + this.#terms.windowBlocks, this.#last)
    ) {
      const block = this.#next;
      const slot = block % this.#terms.windowBlocks;
      if (this.#held[slot] !== block && !this.#load(block, slot)) return;
      if (block <= this.#sent) {
        this.#retransmissions += 1;
        this.#repeatedUpTo = Math.max(this.#repeatedUpTo, block);
      }
      this.#sent = Math.max(this.#sent, block);
      this.#next = block + 1;
      this.#sinks.send(this.#packets[slot] as Buffer, block);
    }
  }

  /** Puts a block into its slot. False: it is still being read, and is sent later. */
  #load(block: number, slot: number): boolean {
    const { blockBytes } = this.#terms;
    const offset = (block - 1) * blockBytes;
    const length = Math.min(blockBytes, this.#entry.bytes - offset);
    let packet = this.#packets[slot];
    if (packet?.length !== 4 + length) {
      packet = Buffer.allocUnsafe(4 + length);
      packet.writeUInt16BE(opcodes.data, 0);
      this.#packets[slot] = packet;
    }
    packet.writeUInt16BE(this.#terms.spoiled?.numberOf(block) ?? block & 0xffff, 2);
    this.#held[slot] = block;
    if (length === 0) return true;
    const copied = this.#entry.read(offset, length, packet, 4);
    if (typeof copied === 'number') return true;
    this.#reading = true;
    copied.then(
      this.#sinks.guard('a TFTP transfer', () => this.#loaded()),
      (error: Error) => {
        if (!this.#ended) this.#end('unreadable', error.message);
      },
    );
    return false;
  }

  #loaded(): void {
    this.#reading = false;
    this.#quietMs = 0;
    this.#pump();
  }
}
