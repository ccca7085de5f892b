import { errorCodes, type TftpRequest } from '../../wire/codecs/tftp.ts';
import type { ServedEntry } from '../tree/served-entry.ts';
import type { ServedTree } from '../tree/served-tree.ts';
import { maxNetasciiBytes, netasciiEntry } from './netascii.ts';

/** A refused request: the error sent to the guest, and the note for the event log. */
interface RequestRefusal {
  readonly kind: 'refused';
  readonly outcome: 'not-found' | 'refused';
  readonly code: number;
  readonly message: string;
  readonly note: string;
}

/** The file of a request, or why there is none. */
export type Opened = ServedEntry | RequestRefusal;

/** The error sent to the guest for each refusal of the tree; host paths stay in the event log. */
const answers = {
  'not-found': { outcome: 'not-found', code: errorCodes.notFound, message: 'File not found' },
  'unsafe-name': { outcome: 'refused', code: errorCodes.accessViolation, message: 'Access violation' },
  unreadable: { outcome: 'refused', code: errorCodes.undefined, message: 'The file cannot be read' },
} as const;

/** Finds the file of a read request, in the requested mode. Never rejects. */
export async function openRequested(tree: ServedTree, { file, mode }: TftpRequest): Promise<Opened> {
  if (mode !== 'octet' && mode !== 'netascii') {
    return refused('refused', errorCodes.illegalOperation, `Mode ${mode.slice(0, 20)} is not supported`);
  }
  const found = await tree.lookup(file);
  if (found.kind === 'refused') return { kind: 'refused', ...answers[found.cause], note: found.reason };
  if (found.kind === 'redirect') {
    return { kind: 'refused', ...answers['not-found'], note: `"${file}" is a redirect, which only HTTP supports` };
  }
  if (mode === 'octet') return found;
  if (found.bytes > maxNetasciiBytes) {
    return refused('refused', errorCodes.undefined, `netascii is limited to ${maxNetasciiBytes} bytes`);
  }
  try {
    return await netasciiEntry(found);
  } catch (error) {
    return { kind: 'refused', ...answers.unreadable, note: (error as Error).message };
  }
}

function refused(outcome: 'refused', code: number, message: string): RequestRefusal {
  return { kind: 'refused', outcome, code, message, note: message };
}
