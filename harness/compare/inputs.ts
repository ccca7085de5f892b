import { basename } from 'node:path';
import type { Input } from '../model/plan.ts';
import type { CaseResult } from '../model/verdict.ts';

/** One input that differs between the sides; null where a side lacks it. */
export interface InputChange {
  role: Input['role'];
  before: string | null;
  after: string | null;
}

/** `ovmf 2022.11-6+deb12u2`, or the file's name with the start of its SHA-256. */
export function inputText({ path, sha256, package: from }: Input): string {
  return from === undefined ? `${basename(path)} ${sha256.slice(0, 12)}` : `${from.name} ${from.version}`;
}

const inputsOf = (repeats: readonly CaseResult[]): readonly Input[] =>
  repeats.find(({ run }) => run.inputs.length > 0)?.run.inputs ?? [];

/** Inputs that differ by content, role by role, in the order found. */
export function inputChanges(before: readonly CaseResult[], after: readonly CaseResult[]): InputChange[] {
  const [old, now] = [inputsOf(before), inputsOf(after)];
  const roles = [...new Set([...old, ...now].map(({ role }) => role))];
  return roles.flatMap((role) => {
    const [olds, news] = [old, now].map((inputs) => inputs.filter((one) => one.role === role)) as [Input[], Input[]];
    return Array.from({ length: Math.max(olds.length, news.length) }, (_, index) => index).flatMap((index) => {
      const [a, b] = [olds[index], news[index]];
      if (a?.sha256 === b?.sha256) return [];
      const [before, after] = [a, b].map((one) => (one === undefined ? null : inputText(one)));
      // Same package version, different file: made or signed here, or rebuilt.
      const texts =
        before === after
          ? [a, b].map((one) => `${one && inputText(one)} (${one?.sha256.slice(0, 12)})`)
          : [before, after];
      return [{ role, before: texts[0] ?? null, after: texts[1] ?? null }];
    });
  });
}
