import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Reports take their page from the build; tests run from the sources, which may be newer than it. */
export default function setup() {
  execFileSync(process.execPath, [fileURLToPath(new URL('../scripts/build-report-page.mjs', import.meta.url))]);
}
