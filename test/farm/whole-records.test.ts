import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { areWhole } from '../../harness/farm/whole-records.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder = '';
folderOfTest((made) => {
  folder = made;
});

const line = (event: object) => `${JSON.stringify({ tMs: 1, source: 'run', ...event })}\n`;
const begin = line({ type: 'started', caseId: 'a', attempt: 1, at: '2026-01-01T00:00:00.000Z' });
const ended = line({ type: 'ended', reason: 'deadline' });
const disk = line({ type: 'infrastructure', code: 'disk', message: 'no space', retryable: true });
const whole = `${begin}${ended}`;

it.each<[string, boolean, (string | undefined)[]]>([
  ['its end is in the log', true, [whole]],
  ['both its attempts have their end', true, [whole, whole]],
  ['the log stops before the end', false, [begin]],
  ['the log is cut off in the line of the end', false, [`${begin}${ended.slice(0, -9)}`]],
  ['the log is empty', false, ['']],
  ['the log is gone', false, [undefined]],
  ['the log has a hole', false, [`${begin}\0\0\0\n${ended}`]],
  ['the disk ended it', false, [`${begin}${disk}${ended}`]],
  ['only the second attempt has its end', false, [begin, whole]],
])('records are whole where %s: %s', (_, expected, logs) => {
  for (const [nth, log] of logs.entries()) {
    const attempt = nth === 0 ? folder : join(folder, 'attempt-2');
    mkdirSync(attempt, { recursive: true });
    writeFileSync(join(attempt, 'plan.json'), '{}');
    if (log !== undefined) writeFileSync(join(attempt, 'events.jsonl'), log);
  }
  expect(areWhole(folder)).toBe(expected);
});
