import type { IBufferCell, IBufferLine } from '@xterm/headless';
import { h } from '../dom.ts';

/** Text of one look: what a terminal's cells say of colour and weight. */
export interface Run {
  text: string;
  /** Space-separated classes, such as `f2 b0 bold`; the page's style sheet knows them. */
  look: string;
  /** Colours beyond the sixteen, as CSS. */
  foreground?: string;
  background?: string;
}

const rgb = (colour: number): string => `#${colour.toString(16).padStart(6, '0')}`;

/** Colours 16 to 255 of xterm: a cube of six levels, then 24 greys. */
function paletteColour(index: number): string {
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return rgb((grey << 16) | (grey << 8) | grey);
  }
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40);
  const cube = index - 16;
  return rgb((level(Math.floor(cube / 36)) << 16) | (level(Math.floor(cube / 6) % 6) << 8) | level(cube % 6));
}

/** A colour's class (sixteen colours) or its CSS. */
function colourOf(prefix: 'f' | 'b', index: number, isRgb: boolean): { look: string; css?: string } {
  if (isRgb) return { look: '', css: rgb(index) };
  return index < 16 ? { look: `${prefix}${index}` } : { look: '', css: paletteColour(index) };
}

function runOf(cell: IBufferCell): Run {
  const inverse = cell.isInverse() !== 0;
  const looks: string[] = [];
  let foreground: string | undefined;
  let background: string | undefined;
  if (!cell.isFgDefault()) {
    const { look, css } = colourOf(inverse ? 'b' : 'f', cell.getFgColor(), cell.isFgRGB());
    looks.push(look);
    if (inverse) background = css;
    else foreground = css;
  }
  if (!cell.isBgDefault()) {
    const { look, css } = colourOf(inverse ? 'f' : 'b', cell.getBgColor(), cell.isBgRGB());
    looks.push(look);
    if (inverse) foreground = css;
    else background = css;
  }
  if (inverse && cell.isFgDefault()) looks.push('inverse-b');
  if (inverse && cell.isBgDefault()) looks.push('inverse-f');
  if (cell.isBold()) looks.push('bold');
  if (cell.isUnderline()) looks.push('underline');
  return {
    text: cell.getChars() || ' ',
    look: looks.filter(Boolean).join(' '),
    ...(foreground === undefined ? {} : { foreground }),
    ...(background === undefined ? {} : { background }),
  };
}

const sameLook = (a: Run, b: Run): boolean =>
  a.look === b.look && a.foreground === b.foreground && a.background === b.background;

/** The cells of a row as runs of one look each; where nothing follows, blank cells at its end are left out. */
export function runsOf(line: IBufferLine, goesOn = false): Run[] {
  const runs: Run[] = [];
  for (let column = 0; column < line.length; column++) {
    const cell = line.getCell(column);
    if (!cell || cell.getWidth() === 0) continue;
    const run = runOf(cell);
    const last = runs.at(-1);
    if (last && sameLook(last, run)) last.text += run.text;
    else runs.push(run);
  }
  const last = runs.at(-1);
  if (last && isPlain(last) && !goesOn) last.text = last.text.trimEnd();
  return runs.filter(({ text }) => text !== '');
}

/** Black behind a blank is the terminal's own colour. */
export const isPlain = ({ look, background }: Run): boolean =>
  background === undefined && !/(^| )(b[1-9]\d*|inverse-b|underline)( |$)/.test(look);

export function runElement({ text, look, foreground, background }: Run): Node {
  if (look === '' && foreground === undefined && background === undefined) return document.createTextNode(text);
  const element = h('span', { class: look || undefined }, text);
  // Through the object model: the page's policy refuses style attributes.
  if (foreground !== undefined) element.style.color = foreground;
  if (background !== undefined) element.style.backgroundColor = background;
  return element;
}
