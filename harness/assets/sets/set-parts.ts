import type { Inspections } from '../inspections.ts';
import type { FoundFirmware, Missing } from './artefact-set.ts';
import type { SetContent } from './set-content.ts';

/** What a set is built from. */
export interface SetParts {
  readonly name: string;
  readonly description?: string | undefined;
  readonly content: SetContent;
  /** SeaBIOS comes with QEMU, so a set without one of its own uses that. */
  readonly builtInSeabios: { readonly path: string; readonly package: FoundFirmware['package'] } | undefined;
  /** For generated ROMs and built payloads. */
  readonly cacheDir: string | undefined;
  readonly inspections: Pick<Inspections, 'of'>;
  /** Own payloads: the probe NBPs. */
  payload(name: string): { readonly path: string } | Missing;
}
