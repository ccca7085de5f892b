import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { RE2JS } from 're2js';
import { HarnessError } from '../../model/errors.ts';
import type { PlannedProvisioner, Ready } from '../../model/provisioner.ts';
import { boundPortsOf, boundText } from './bound-ports.ts';
import type { RunningProgram } from './program.ts';

const pollMs = 25;

export const readyText = (ready: Ready): string => {
  if ('udp' in ready) return `UDP port ${ready.udp} bound`;
  if ('tcp' in ready) return `TCP port ${ready.tcp} bound`;
  if ('file' in ready) return `a file ${ready.file}`;
  return `a line matching ${ready.log}`;
};

export interface Awaited {
  planned: PlannedProvisioner['programs'][number];
  running: RunningProgram;
  /** Shows whose network namespace is meant. */
  pid: number;
  folder: string;
}

/** Which signs are missing yet; log lines are watched from the start. */
function watchSigns({ planned, running, pid, folder }: Awaited): () => Ready[] {
  const seen = new Set<Ready>();
  for (const ready of planned.ready) {
    if (!('log' in ready)) continue;
    const pattern = RE2JS.compile(ready.log);
    running.onLine((line) => {
      if (!seen.has(ready) && pattern.matcher(line).find()) seen.add(ready);
    });
  }
  return () => {
    const bound = boundPortsOf(pid);
    return planned.ready.filter((ready) => {
      if ('udp' in ready) return !bound.udp.has(ready.udp);
      if ('tcp' in ready) return !bound.tcp.has(ready.tcp);
      if ('file' in ready) return !existsSync(join(folder, ready.file));
      return !seen.has(ready);
    });
  };
}

/** What a program said last, for a message. */
export const saidText = (running: RunningProgram): string => {
  const words = running.lastWords();
  return words === '' ? ', and printed nothing' : `: ${words}`;
};

/** Why the end of a program is the end of the case. */
export function endText(running: RunningProgram): string {
  const { exit } = running;
  const how = exit?.signal ? `was ended by ${exit.signal}` : `ended with exit code ${exit?.exitCode}`;
  const stays =
    exit?.exitCode === 0 ? ' (a program that goes into the background ends so: keep it in the foreground)' : '';
  return `the provisioner's ${running.name} ${how}${stays}${saidText(running)}`;
}

/**
 * Resolves when every sign of the program is there.
 * @throws HarnessError `provisioner-failed` if it ends first, or takes too long
 */
export async function waitUntilReady(awaited: Awaited, signal: AbortSignal): Promise<void> {
  const { planned, running, pid } = awaited;
  const missing = watchSigns(awaited);
  const startedMs = performance.now();
  for (;;) {
    if (running.exit !== undefined) throw new HarnessError('provisioner-failed', endText(running));
    const left = missing();
    if (left.length === 0) return;
    if (signal.aborted) throw new HarnessError('interrupted', 'interrupted while the provisioner started');
    if (performance.now() - startedMs > planned.readyWithinMs) {
      const expected = left.map(readyText).join(' and ');
      const message = `the provisioner's ${running.name} did not become ready within ${planned.readyWithinMs / 1000} s: expected ${expected}, saw ${boundText(boundPortsOf(pid))} bound${saidText(running)}`;
      throw new HarnessError('provisioner-failed', message);
    }
    await wait(pollMs);
  }
}
