import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { canonicalJson } from '../model/canonical-json.ts';
import { checkShape } from '../model/check-shape.ts';
import { HarnessError } from '../model/errors.ts';
import { parseBoundedJson, recordMaxDepth } from '../os/bounded-file.ts';
import type { FarmAddress } from './address.ts';

/** What a message is about: one kind can never be taken for another. */
export type MessageKind = 'run' | 'worker' | 'cell' | 'result' | 'progress' | 'drain' | 'cancel' | 'sent';

/** A message that was not made with the farm's key, or is no message. */
export class BadMessage extends Error {}

/** Signs messages, and opens those of others. */
export interface Sealing {
  seal(kind: MessageKind, body: unknown): string;
  /** @throws BadMessage unless it was sealed with the same key, as this kind, and matches the schema */
  open<T>(kind: MessageKind, text: unknown, schema: z.ZodType<T>): T;
}

const maxTextLength = 8 << 20;
const keyMinBytes = 32;
const keyMaxBytes = 4096;

const envelopeSchema = z.strictObject({ body: z.string(), mac: z.string().length(64).nullable() });

/** HMAC-SHA-256 (RFC 2104) over kind and body. */
const macOf = (key: Buffer, kind: MessageKind, body: string): string =>
  createHmac('sha256', key).update(`netboot-farm 1 ${kind}\n${body}`).digest('hex');

function parsed(text: string): unknown {
  try {
    return parseBoundedJson(text, recordMaxDepth);
  } catch (error) {
    throw new BadMessage(`it is not JSON: ${(error as Error).message.slice(0, 80)}`);
  }
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = checkShape(schema, value);
  if ('value' in result) return result.value;
  throw new BadMessage(`unexpected content: ${result.problems[0]}`);
}

/** What a message says; undefined if someone without the key has sent it, who is not listened to. */
export function heard<T>(sealing: Sealing, kind: MessageKind, text: unknown, schema: z.ZodType<T>): T | undefined {
  try {
    return sealing.open(kind, text, schema);
  } catch (error) {
    if (error instanceof BadMessage) return undefined;
    throw error;
  }
}

/** Without a key nothing is signed, and anything is believed. */
export function openSealing(key: Buffer | undefined): Sealing {
  return {
    seal(kind, value) {
      const body = canonicalJson(value);
      return JSON.stringify({ body, mac: key === undefined ? null : macOf(key, kind, body) });
    },
    open(kind, text, schema) {
      if (typeof text !== 'string') throw new BadMessage('it is no text');
      if (text.length > maxTextLength) throw new BadMessage(`it is longer than ${maxTextLength} characters`);
      const { body, mac } = checked(envelopeSchema, parsed(text));
      if (key !== undefined) {
        if (mac === null) throw new BadMessage('it is not signed');
        const expected = Buffer.from(macOf(key, kind, body));
        const seen = Buffer.from(mac);
        if (seen.length !== expected.length || !timingSafeEqual(seen, expected))
          throw new BadMessage('it is signed with another key');
      }
      return checked(schema, parsed(body));
    },
  };
}

export interface KeyOptions {
  /** A file with the key. */
  farmKey?: string | undefined;
  insecure?: boolean | undefined;
}

function readKey(path: string): Buffer {
  const bad = (problem: string, hint: string, cause?: unknown) =>
    new HarnessError('usage', `--farm-key ${path}: ${problem}`, { hint, cause });
  try {
    const { mode, size } = statSync(path);
    if (size < keyMinBytes || size > keyMaxBytes)
      throw bad(
        `expected ${keyMinBytes} to ${keyMaxBytes} bytes, saw ${size}`,
        `Make one with: head -c 32 /dev/urandom > ${path}`,
      );
    if ((mode & 0o077) !== 0) throw bad('other users can read it', `Keep it to yourself: chmod 600 ${path}`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof HarnessError) throw error;
    throw bad('it cannot be read', 'Make one with: umask 077; head -c 32 /dev/urandom > FILE', error);
  }
}

/**
 * The sealing that a farm is used with.
 * @throws HarnessError `usage` without a key, unless that is asked for and the farm is on this machine
 */
export function sealingFor({ text, isLocal }: FarmAddress, { farmKey, insecure = false }: KeyOptions): Sealing {
  if (farmKey !== undefined) return openSealing(readKey(farmKey));
  const isAllowed = insecure && isLocal;
  if (isAllowed) return openSealing(undefined);
  const why = insecure
    ? `--insecure: ${text} can be reached from other machines`
    : `--farm ${text}: without a key, whoever reaches it could start QEMU on every worker`;
  throw new HarnessError('usage', why, {
    hint: 'Give every worker and submitter the same --farm-key FILE; --insecure does without on a loopback address or a Unix socket.',
  });
}
