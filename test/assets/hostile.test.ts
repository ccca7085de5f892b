import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { extractDriver } from '../../harness/assets/derive/extract-drivers.ts';
import { inspectFile } from '../../harness/assets/inspect/inspect.ts';
import { HarnessError } from '../../harness/model/errors.ts';
import { expectAnswer, smallBudget } from './expect-answer.ts';
import { seeded } from './seeded.ts';

describe('hostile files get an answer', () => {
  test('random bytes of many lengths', () => {
    const random = seeded(1);
    for (let round = 0; round < 300; round++) {
      expectAnswer(Buffer.from(Array.from({ length: random(3000) }, () => random(256))));
    }
  });

  test.each([
    ['55aa', 'an option ROM signature'],
    ['4d5a', 'a PE signature'],
    [`${'00'.repeat(40)}5f465648`, 'a firmware volume signature'],
    [`${'00'.repeat(0x38)}41524d64`, 'an arm64 kernel signature'],
  ])('random bytes behind %s', (hex) => {
    const random = seeded(2);
    const head = Buffer.from(hex, 'hex');
    for (let round = 0; round < 200; round++) {
      expectAnswer(Buffer.concat([head, Buffer.from(Array.from({ length: random(2000) }, () => random(256)))]));
    }
  });

  test('what is not a file is refused at once, a pipe without a writer too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pipe-'));
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, folder, '/dev/zero']) {
      await expect(inspectFile(path)).rejects.toMatchObject({
        code: 'bad-file',
        message: expect.stringContaining(path),
      });
    }
    await rm(folder, { recursive: true });
  });

  test('extraction from what is no firmware image is refused', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(5000, 0xff)]) {
      expect(() => extractDriver(bytes, 'VirtioNetDxe', smallBudget())).toThrow(HarnessError);
    }
  });
});
