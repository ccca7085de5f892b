import { HarnessError } from '../../model/errors.ts';
import { type Budget, createBudget } from '../inspect/budget.ts';
import { createWalk, type FfsFile, walkVolumes } from '../inspect/ffs.ts';
import { attempt } from '../inspect/malformed.ts';
import { isPe } from '../inspect/pe.ts';

function refuse(what: string, hint: string): HarnessError {
  return new HarnessError('bad-file', `cannot extract from the firmware image: ${what}`, { hint });
}

/** The closest names, for the hint. */
function similar(files: readonly FfsFile[], wanted: string): string {
  const part = wanted.toLowerCase().replace(/dxe$/, '');
  const names = files.flatMap(({ name }) => (name?.toLowerCase().includes(part) ? [name] : []));
  return names.length > 0
    ? `Did you mean ${names.slice(0, 5).join(', ')}?`
    : '`netboot inspect` lists the drivers of an image.';
}

/**
 * The PE32 image of a driver in a UEFI flash image, by name (`VirtioNetDxe`) or GUID. Throws HarnessError `bad-file`
 * where there is no such driver, or it is a TE image: those lack headers that firmware needs.
 */
export function extractDriver(image: Buffer, nameOrGuid: string, budget: Budget = createBudget()): Buffer {
  const walk = createWalk(budget);
  const walked = attempt(() => {
    walkVolumes(image, walk);
    return {};
  });
  // What was found before a defect is still good.
  const wanted = nameOrGuid.toUpperCase();
  const matches = walk.files.filter(({ guid, name }) => guid === wanted || name?.toUpperCase() === wanted);
  const file = matches.find(({ executable }) => executable?.format === 'PE32') ?? matches[0];
  if (file === undefined) {
    if (walk.volumes.length === 0)
      throw refuse('it has no firmware volume', 'Give a UEFI flash image, such as OVMF_CODE_4M.fd.');
    const defect = 'problem' in walked ? ` (${walked.problem})` : '';
    throw refuse(`no driver "${nameOrGuid}" in it${defect}`, similar(walk.files, nameOrGuid));
  }
  if (file.executable === null) throw refuse(`"${nameOrGuid}" has no code`, similar(walk.files, nameOrGuid));
  if (file.executable.format === 'TE') {
    throw refuse(
      `"${nameOrGuid}" is a TE image, which cannot be turned back into PE`,
      'Drivers of the DXE phase are PE images.',
    );
  }
  if (!isPe(file.executable.bytes)) throw refuse(`"${nameOrGuid}" is not a PE image`, 'The image may be damaged.');
  return Buffer.from(file.executable.bytes);
}
