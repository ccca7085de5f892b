// Runs one case in this new process and prints the CPU it used, in ms: in total, and before the case started.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scriptCell } from './cells.mjs';
import { runInHarness } from './harness-side.mjs';
import { clocks } from './marks.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'netboot-bench-'));
try {
  const { started } = await runInHarness(scriptCell(), scratch);
  process.stdout.write(JSON.stringify({ beforeCpuMs: started.cpuMs, cpuMs: clocks().cpuMs }));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
