import { errorCodes, type TftpRequest } from '../../wire/codecs/tftp.ts';
import type { ServedEntry } from '../tree/served-entry.ts';
import type { ServedTree } from '../tree/served-tree.ts';
import { maxNetasciiBytes, netasciiEntry } from './netascii.ts';

/** A request that gets no file: what the guest is told, and what the event log is. */
interface RequestRefusal {
  readonly kind: 'refused';
  readonly outcome: 'not-found' | 'refused';
  readonly code: number;
  readonly message: string;
  readonly note: string;
}

/** What the guest is told for each reason of the tree; host paths stay in the event log. */
const answers = {
  'not-found': { outcome: 'not-found', code: errorCodes.notFound, message: 'File not found' },
  'unsafe-name': { outcome: 'refused', code: errorCodes.accessViolation, message: 'Access violation' },
  unreadable: { outcome: 'refused', code: errorCodes.undefined, message: 'The file cannot be read' },
} as const;

/** Finds the file of a read request, in the mode that was asked for. Never rejects. */
export async function openRequested(
  tree: ServedTree,
  { file, mode }: TftpRequest,
): Promise<ServedEntry | RequestRefusal> {
  if (mode !== 'octet' && mode !== 'netascii') {
    return refused('refused', errorCodes.illegalOperation, `Mode ${mode.slice(0, 20)} is not supported`);
  }
  const found = await tree.lookup(file);
  if (found.kind === 'refused') return { kind: 'refused', ...answers[found.cause], note: found.reason };
  if (found.kind === 'redirect') {
    return { kind: 'refused', ...answers['not-found'], note: `"${file}" is a redirect, which only HTTP has` };
  }
  if (mode === 'octet') return found;
  if (found.bytes > maxNetasciiBytes) {
    return refused('refused', errorCodes.undefined, `In netascii up to ${maxNetasciiBytes} bytes are served`);
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
