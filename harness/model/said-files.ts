import type { Scenario, ServedFile } from './scenario.ts';

/** What a scenario says about one served name. */
type SaidFile = NonNullable<Scenario['serve']>[string];

export const isBarePatch = (file: SaidFile): file is Extract<ServedFile, { patch: unknown }> =>
  'patch' in file && !('path' in file || 'secondStage' in file);

/** Whether the scenario replaces what the boot would have had under this name. */
export function isReplaced({ serve }: Pick<Scenario, 'serve'>, name: string): boolean {
  const said = serve?.[name];
  return said !== undefined && !isBarePatch(said);
}
