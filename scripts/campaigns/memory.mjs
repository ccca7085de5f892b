import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/** What this process holds once garbage is collected: resident pages, and within them what JavaScript uses. */
export function memoryMiB() {
  collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: Math.round(rss / 2 ** 20), used: Math.round((heapUsed + external) / 2 ** 20) };
}
