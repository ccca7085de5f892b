import xterm from '@xterm/headless';
import { screenSize, screenWipe } from '../model/console-screen.ts';

const { rows } = screenSize;
const scrollback = 20_000;
/** Serial octets come a few at a time under emulation; they are rendered together. */
const batchMs = 20;

export interface ConsoleLine {
  /** Serial octets received when the line stood like this. */
  offset: number;
  text: string;
}

/** A serial console rendered as a person sees it: cursor addressing, wrapping and erasing applied. */
export interface SerialConsole {
  push(chunk: Buffer): void;
  /** Renders what is pending; resolves when every line has been told. */
  settle(): Promise<void>;
  /** Everything that ever stood on the screen, top to bottom. */
  transcript(): string[];
  close(): void;
}

/** `onLine` is told each line that is new or has changed, whole; blank lines are not told. */
export function createConsole(onLine: (line: ConsoleLine) => void): SerialConsole {
  const terminal = new xterm.Terminal({
    ...screenSize,
    scrollback,
    allowProposedApi: true,
    convertEol: false,
    // It would print its own complaints about what a guest sends.
    logLevel: 'off',
  });
  const buffer = () => terminal.buffer.active;
  const told = new Map<number, string>();
  const wiped: string[] = [];
  /** First row not yet in `wiped`. */
  let kept = 0;
  /** First row that can still change. */
  let live = 0;
  let offset = 0;
  let pending: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  let rendering: Promise<void> = Promise.resolve();

  /** The logical line that starts at `row`: rows wrapped by the terminal belong to the one above. */
  const lineAt = (row: number): { text: string; next: number } => {
    let text = buffer().getLine(row)?.translateToString(false) ?? '';
    let next = row + 1;
    while (next < buffer().length && buffer().getLine(next)?.isWrapped) {
      text += buffer().getLine(next)?.translateToString(false) ?? '';
      next++;
    }
    return { text: text.trimEnd(), next };
  };

  const scan = (): void => {
    for (let row = live; row < buffer().length; ) {
      const { text, next } = lineAt(row);
      if (text !== (told.get(row) ?? '')) {
        told.set(row, text);
        if (text) onLine({ offset, text });
      }
      row = next;
    }
    for (let row = live; row < buffer().baseY - rows; row++) told.delete(row);
    live = Math.max(0, buffer().baseY - rows);
  };

  const linesFrom = (first: number): string[] => {
    const lines: string[] = [];
    for (let row = first; row < buffer().length; ) {
      const { text, next } = lineAt(row);
      lines.push(text);
      row = next;
    }
    while (lines.at(-1) === '') lines.pop();
    return lines;
  };

  const write = (text: string): Promise<void> => new Promise((resolve) => terminal.write(text, resolve));

  const render = async (bytes: Buffer): Promise<void> => {
    const parts = bytes.toString('latin1').split(screenWipe);
    for (const part of parts) {
      if (screenWipe.test(part)) {
        scan();
        wiped.push(...linesFrom(kept));
        kept = buffer().baseY;
      }
      offset += part.length;
      await write(part);
    }
    scan();
  };

  const flush = (): void => {
    timer = undefined;
    if (pending.length === 0) return;
    const bytes = Buffer.concat(pending);
    pending = [];
    rendering = rendering.then(() => render(bytes));
  };

  return {
    push(chunk) {
      pending.push(Buffer.from(chunk));
      timer ??= setTimeout(flush, batchMs);
    },
    async settle() {
      clearTimeout(timer);
      flush();
      await rendering;
    },
    transcript: () => [...wiped, ...linesFrom(kept)],
    close() {
      clearTimeout(timer);
      terminal.dispose();
    },
  };
}
