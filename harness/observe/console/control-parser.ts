import { screenSize } from '../../model/console-screen.ts';
import type { Screen } from './screen.ts';

/** DEC's line drawing characters, which replace ` to ~ (VT100 user guide, table 3-9). */
const lineDrawing = '◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·';

/** Longer parameters or strings are noise, and shown as text. */
const maxParameterChars = 32;
const maxStringChars = 1024;
const mostCells = screenSize.cols * screenSize.rows;

/** CSI sequences by their final character (ECMA-48 §8.3); `n` is the first parameter, 1 where it is 0 or absent. */
function sequences(screen: Screen): Record<string, (n: number, parameters: readonly number[]) => void> {
  const position = (_: number, [row = 0, column = 0]: readonly number[]): void =>
    screen.moveTo(Math.max(1, column) - 1, Math.max(1, row) - 1);
  const toColumn = (n: number): void => screen.moveTo(n - 1, screen.cursor().y);
  const onward = (n: number): void => screen.moveBy(n, 0);
  return {
    '@': (n) => screen.insertCharacters(n),
    A: (n) => screen.moveBy(0, -n),
    B: (n) => screen.moveBy(0, n),
    C: onward,
    D: (n) => screen.moveBy(-n, 0),
    E: (n) => screen.moveBy(-screenSize.cols, n),
    F: (n) => screen.moveBy(-screenSize.cols, -n),
    G: toColumn,
    H: position,
    I: (n) => repeat(n, screen.tab),
    J: (_, [mode = 0]) => screen.eraseDisplay(mode),
    K: (_, [mode = 0]) => screen.eraseLine(mode),
    L: (n) => screen.insertLines(n),
    M: (n) => screen.deleteLines(n),
    P: (n) => screen.deleteCharacters(n),
    S: (n) => screen.scrollUp(n),
    T: (n) => screen.scrollDown(n),
    X: (n) => screen.eraseCharacters(n),
    Z: (n) => repeat(n, screen.backTab),
    '`': toColumn,
    a: onward,
    d: (n) => screen.moveTo(screen.cursor().x, n - 1),
    e: (n) => screen.moveTo(screen.cursor().x, screen.cursor().y + n),
    f: position,
    r: (n, [, last]) => screen.scrollRegion(n - 1, (last || screenSize.rows) - 1),
    s: () => screen.saveCursor(),
    u: () => screen.restoreCursor(),
  };
}

function repeat(count: number, act: () => void): void {
  for (let left = Math.min(count, mostCells); left > 0; left--) act();
}

/** Applies text and control codes to a screen, one character at a time. No input costs more than one screen of work. */
export function createControlParser(screen: Screen): (char: string) => void {
  const bySequence = sequences(screen);
  let state: (char: string) => void = ground;
  let collected = '';
  /** What REP repeats: the preceding graphic character, if any. */
  let preceding = '';
  /** Whether G0 and G1 are line drawing, and which is in use. */
  const drawing = [false, false];
  let shifted = 0;

  const enter = (next: (char: string) => void): void => {
    state = next;
    collected = '';
  };

  function print(char: string): void {
    const place = char.charCodeAt(0) - 0x60;
    preceding = (drawing[shifted] && place >= 0 && lineDrawing[place]) || char;
    screen.print(preceding);
  }

  /** C0 control codes; they abort an unfinished sequence. */
  function control(char: string): void {
    state = ground;
    if (char !== '\x1b') preceding = '';
    const { x, y } = screen.cursor();
    if (char === '\r') screen.moveTo(0, y);
    else if (char === '\n' || char === '\v' || char === '\f') screen.lineFeed();
    else if (char === '\b') screen.moveTo(Math.max(0, x - 1), y);
    else if (char === '\t') screen.tab();
    else if (char === '\x0e') shifted = 1;
    else if (char === '\x0f') shifted = 0;
    else if (char === '\x1b') enter(afterEscape);
  }

  function ground(char: string): void {
    if (char < ' ') control(char);
    else if (char !== '\x7f') print(char);
  }

  function afterEscape(char: string): void {
    state = ground;
    if (char < ' ') control(char);
    else if (char === '[') enter(sequence);
    else apply(char);
  }

  function apply(char: string): void {
    preceding = '';
    if (']PX^_'.includes(char)) enter(string);
    else if (char <= '/') enter((final) => designate(char, final));
    else if (char === '7') screen.saveCursor();
    else if (char === '8') screen.restoreCursor();
    else if (char === 'D') screen.lineFeed();
    else if (char === 'M') screen.reverseLineFeed();
    else if (char === 'E') {
      screen.moveTo(0, screen.cursor().y);
      screen.lineFeed();
    } else if (char === 'c') {
      screen.reset();
      drawing.fill(false);
      shifted = 0;
    }
  }

  /** ESC ( and ESC ) select a character set; others of this form are ignored. */
  function designate(intermediate: string, final: string): void {
    if (final < ' ') control(final);
    else if (final > '/') {
      state = ground;
      if (intermediate === '(') drawing[0] = final === '0';
      if (intermediate === ')') drawing[1] = final === '0';
    }
  }

  function sequence(char: string): void {
    if (char < ' ') control(char);
    else if (char > '~' || collected.length === maxParameterChars) {
      state = ground;
      ground(char);
    } else if (char < '@') collected += char;
    else {
      state = ground;
      perform(char);
    }
  }

  function perform(final: string): void {
    const repeated = preceding;
    preceding = '';
    // With a prefix or intermediate character it is another sequence; of those only DEC's alternate screen matters.
    if (/^\?(47|1047|1049)$/.test(collected) && (final === 'h' || final === 'l')) screen.eraseDisplay(2);
    if (!/^[\d;]*$/.test(collected)) return;
    const parameters = collected.split(';').map((digits) => Math.min(Number(digits), mostCells));
    const n = parameters[0] || 1;
    if (final === 'b' && repeated) repeat(n, () => screen.print(repeated));
    else if (Object.hasOwn(bySequence, final)) bySequence[final]?.(n, parameters);
  }

  /** Strings for the terminal itself (OSC, DCS, SOS, PM, APC). One cut off by a line end is shown as text. */
  function string(char: string): void {
    if (char === '\x1b' || char === '\x07') control(char);
    else if (char === '\n' || char === '\r' || collected.length === maxStringChars) {
      state = ground;
      for (const shown of collected + char) ground(shown);
    } else collected += char;
  }

  return (char) => state(char);
}
