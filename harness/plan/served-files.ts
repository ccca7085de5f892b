import { HarnessError } from '../model/errors.ts';
import type { ExpectedFile, Plan } from '../model/plan.ts';
import type { NonceField, Resolved } from '../model/resolved.ts';
import { isBarePatch, isReplaced } from '../model/said-files.ts';
import type { Scenario, ServedFile } from '../model/scenario.ts';
import { type ConfigFile, names } from './boot-files.ts';

/** What a plan serves before the scenario's changes. */
function derived(
  { nbp, companions, kernel, initrd, overlay }: Resolved,
  configs: readonly ConfigFile[],
  nonce: string,
): Record<string, ServedFile> {
  const patched = nbp?.nonce ? { patch: noncePatch(nbp.nonce, nonce) } : {};
  return {
    ...(nbp ? { [nbp.name]: { path: nbp.path, ...patched } } : {}),
    ...Object.fromEntries(Object.entries(companions).map(([name, { path }]) => [name, { path }])),
    ...Object.fromEntries(configs.map(({ name, text }) => [name, { text }])),
    ...(kernel ? { [names.kernel]: { path: kernel.path } } : {}),
    ...(initrd ? { [names.initrd]: { path: initrd.path } } : {}),
    ...(overlay ? { [names.overlay]: { path: overlay.path } } : {}),
  };
}

export const noncePatch = ({ offsets, bytes }: NonceField, nonce: string) =>
  offsets.map((offset) => ({ offset, ascii: `${nonce}\0`.slice(0, bytes) }));

/**
 * The served tree: what the boot needs, then what the scenario adds, replaces or patches.
 * @throws HarnessError `bad-matrix` where a patch has nothing to apply to.
 */
export function planServed(
  scenario: Scenario,
  resolved: Resolved,
  { configs, nonce, fill }: { configs: readonly ConfigFile[]; nonce: string; fill(text: string): string },
): Record<string, ServedFile> {
  const serve = derived(resolved, configs, nonce);
  for (const [name, file] of Object.entries(scenario.serve ?? {})) {
    if (isBarePatch(file)) {
      const base = serve[name];
      if (!base || !('path' in base)) {
        throw new HarnessError(
          'bad-matrix',
          `${scenario.id}: serve["${name}"] patches a file that this case does not serve.`,
          {
            hint: `Give it a path, or patch one of: ${Object.keys(serve).join(', ')}.`,
          },
        );
      }
      serve[name] = { ...base, patch: [...(base.patch ?? []), ...file.patch] };
    } else if ('secondStage' in file) {
      serve[name] = { path: resolved.served[name]?.path as string, patch: file.patch };
    } else if ('text' in file) serve[name] = { ...file, text: fill(file.text) };
    else serve[name] = 'redirect' in file ? { ...file, redirect: fill(file.redirect) } : file;
  }
  return serve;
}

/** The files whose complete delivery proves a stage, with their lengths where the plan knows them. */
export function planDeliveries(
  scenario: Scenario,
  { nbp, kernel, initrd, overlay }: Resolved,
  { configs, serve }: { configs: readonly ConfigFile[]; serve: Plan['serve'] },
): Plan['deliveries'] {
  const expected = (name: string, bytes: number | undefined): ExpectedFile[] => {
    if (bytes === undefined) return [];
    if (!isReplaced(scenario, name)) return [{ name, bytes }];
    const served = serve[name];
    return [served && 'text' in served ? { name, bytes: Buffer.byteLength(served.text) } : { name }];
  };
  return {
    nbp: nbp ? expected(nbp.name, nbp.bytes) : [],
    config: configs.flatMap(({ name, text }) => expected(name, Buffer.byteLength(text))),
    payload: [
      ...expected(names.kernel, kernel?.bytes),
      ...expected(names.initrd, initrd?.bytes),
      ...expected(names.overlay, overlay?.bytes),
    ],
  };
}
