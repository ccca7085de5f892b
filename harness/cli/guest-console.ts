import { PassThrough } from 'node:stream';
import type { Scenario } from '../model/scenario.ts';
import { stages } from '../model/stages.ts';
import { type CliIo, writeLines } from './io.ts';

/** A user at the guest's serial console. */
export interface GuestConsole extends Disposable {
  /** Takes a copy. */
  output(chunk: Buffer): void;
  input: NodeJS.ReadableStream;
  /** Aborts when the user leaves. */
  left: AbortSignal;
}

/** Ctrl-], as in telnet; everything else, including Ctrl-C, goes to the guest. */
const escapeByte = 0x1d;

/** A user at the console needs time, in every boot of the case. */
export function unhurried(scenario: Scenario): Scenario {
  const dayMs = 86_400_000;
  const deadlines = { totalMs: dayMs, stageMs: Object.fromEntries(stages.map((stage) => [stage, dayMs])) };
  const { boots } = scenario;
  return { ...scenario, deadlines, ...(boots && { boots: boots.map((boot) => ({ ...boot, deadlines })) }) };
}

/** Hands the terminal to the guest until it is disposed of. */
export function openGuestConsole({ stdin, stdout, stderr }: Pick<CliIo, 'stdin' | 'stdout' | 'stderr'>): GuestConsole {
  const leaving = new AbortController();
  const input = new PassThrough();
  const onData = (chunk: Buffer): void => {
    if (chunk.includes(escapeByte)) leaving.abort(new Error('left the console'));
    else input.write(chunk);
  };
  writeLines(stderr, ["The guest's serial console; Ctrl-] ends the guest and leaves.", '']);
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on('data', onData);
  return {
    output: (chunk) => void stdout.write(Buffer.from(chunk)),
    input,
    left: leaving.signal,
    [Symbol.dispose]() {
      stdin.off('data', onData);
      stdin.pause();
      if (stdin.isTTY) stdin.setRawMode(false);
    },
  };
}
