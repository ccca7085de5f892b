import xterm from '@xterm/headless';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { screenSize } from '../../harness/model/console-screen.ts';
import { createControlParser } from '../../harness/observe/console/control-parser.ts';
import { createScreen } from '../../harness/observe/console/screen.ts';
import { type ConsoleLine, createConsole } from '../../harness/observe/console.ts';

const esc = '\u001b';

interface Rendered {
  lines: ConsoleLine[];
  transcript: string[];
}

/** Renders bytes cut at the given places. */
function render(bytes: Buffer | string, cuts: readonly number[] = []): Rendered {
  const all = Buffer.from(bytes as string);
  const lines: ConsoleLine[] = [];
  const console = createConsole((line) => lines.push(line));
  const places = [0, ...[...cuts].map((cut) => cut % (all.length + 1)).sort((a, b) => a - b), all.length];
  for (let at = 1; at < places.length; at++) console.push(all.subarray(places[at - 1], places[at]));
  console.end();
  return { lines, transcript: console.transcript() };
}

const texts = ({ lines }: Rendered): string[] => lines.map(({ text }) => text);

/** Text and control sequences, as firmware, loaders and kernels mix them. */
const word = fc.stringMatching(/^[!-Z^-~]{1,12}$/);
const count = fc.integer({ min: 0, max: 30 });
const csi = (final: string) =>
  fc
    .tuple(count, count)
    .map(([a, b]) => `${esc}[${a || ''}${final === 'H' || final === 'r' ? `;${b || ''}` : ''}${final}`);
const control = fc.oneof(
  fc.constantFrom(
    '\r\n',
    '\n',
    '\r',
    '\b',
    '\t',
    ' ',
    `${esc}c`,
    `${esc}7`,
    `${esc}8`,
    `${esc}D`,
    `${esc}M`,
    `${esc}E`,
  ),
  fc.constantFrom(...'@ABCDEFGHILMPSTXZ`abdefrsum').chain(csi),
  fc.constantFrom(...'JK').chain((final) => fc.constantFrom('', '0', '1', '2').map((mode) => `${esc}[${mode}${final}`)),
);
const stream = fc
  .array(fc.oneof({ weight: 2, arbitrary: word }, control), { maxLength: 200 })
  .map((parts) => parts.join(''));
const cuts = fc.array(fc.nat(), { maxLength: 40 });

describe('a serial console', () => {
  it('shows each of many lines once, in their order, however many come at a time', () => {
    const lines = Array.from({ length: 30_000 }, (_, index) => `line ${index}`);
    for (const chunks of [[], Array.from({ length: 100 }, (_, index) => index * 3333)]) {
      const rendered = render(lines.map((line) => `${line}\r\n`).join(''), chunks);
      expect(texts(rendered)).toEqual(lines);
      expect(rendered.transcript).toEqual(lines);
    }
  });

  it('shows the same whatever chunks it comes in', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          stream.map((text) => Buffer.from(text)),
          fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
        ),
        cuts,
        (bytes, places) => {
          expect(render(bytes, places)).toEqual(render(bytes));
        },
      ),
    );
  });

  it('shows every word that was ever printed, whatever moved, scrolled or erased it after', () => {
    const program = fc.array(fc.tuple(control, fc.boolean()), { maxLength: 120 });
    fc.assert(
      fc.property(program, (steps) => {
        let input = '';
        const printed: string[] = [];
        steps.forEach(([sequence, prints], index) => {
          input += sequence;
          if (!prints) return;
          // Somewhere it does not wrap, and with something to end the word before.
          input += `${esc}[${1 + (index % screenSize.rows)};${1 + ((index * 7) % 60)}H${esc}[K<${index}>`;
          printed.push(`<${index}>`);
        });
        const shown = texts(render(input)).join('\n');
        expect(printed.filter((each) => !shown.includes(each))).toEqual([]);
      }),
    );
  });

  it('draws the screen that xterm draws', async () => {
    await fc.assert(
      fc.asyncProperty(stream, async (text) => {
        const screen = createScreen(() => {});
        const parse = createControlParser(screen);
        for (const char of text) parse(char);
        const terminal = new xterm.Terminal({ ...screenSize, scrollback: 0, allowProposedApi: true });
        await new Promise<void>((resolve) => terminal.write(text, resolve));
        const { active } = terminal.buffer;
        const drawn = Array.from({ length: screenSize.rows }, (_, row) =>
          active
            .getLine(active.baseY + row)
            ?.translateToString()
            .trimEnd(),
        );
        terminal.dispose();
        expect(screen.text()).toEqual(drawn);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps what stood where the screen was cleared, once, also where the sequence comes in pieces', () => {
    const input = `first\r\nsecond${esc}[2J${esc}[Hthird\r\n`;
    for (let cut = 0; cut <= input.length; cut++) {
      expect(render(input, [cut])).toMatchObject({
        lines: [{ text: 'first' }, { text: 'second' }, { text: 'third' }],
        transcript: ['first', 'second', 'third'],
      });
    }
  });

  it.each([
    ['cleared from the home position', `${esc}[H${esc}[J`],
    ['reset', `${esc}c`],
    ['left for the alternate screen', `${esc}[?1049h`],
    ['scrolled away', `${esc}[25;1H${'\n'.repeat(25)}`],
    ['scrolled up', `${esc}[30S`],
    ['deleted line by line', `${esc}[H${esc}[25M`],
  ])('keeps what stood on a screen that is %s', (_, sequence) => {
    expect(render(`one\r\ntwo${sequence}`).transcript).toEqual(['one', 'two']);
  });

  it('gives with a line the one above it, where that fills its last column and is broken there', () => {
    const full = 'x'.repeat(80);
    expect(render(`${full}\r\nrest\r\n${full} rest\r\n`).lines).toMatchObject([
      { text: full },
      { text: 'rest', above: full },
      { text: `${full} rest` },
    ]);
    expect(render(`${full.slice(1)} \r\nrest\r\nnext\r\n`).lines[1]).toMatchObject({ above: `${full.slice(1)} ` });
    for (const other of [`${full.slice(1)}\r\nrest`, `${full}${esc}[2K\r\nrest`, `${full}\r\n\r\nrest`]) {
      expect(render(other).lines.at(-1)).toEqual({ offset: other.length, text: 'rest', open: true });
    }
  });

  it('gives a line a guest pauses in as one that may go on, and again when it is whole', () => {
    const lines: ConsoleLine[] = [];
    const console = createConsole((line) => lines.push(line));
    console.push(Buffer.from('Booting from'));
    console.pause();
    console.pause();
    console.push(Buffer.from(' ROM...'));
    console.pause();
    console.push(Buffer.from('\r\n'));
    expect(lines).toEqual([
      { offset: 12, text: 'Booting from', open: true },
      { offset: 19, text: 'Booting from ROM...', open: true },
      { offset: 19, text: 'Booting from ROM...' },
    ]);
  });

  it('does not take erasing for printing', () => {
    const banner = 'Press Ctrl-B...';
    const input = `${banner}${'\b \b'.repeat(banner.length)}net0\r\n`;
    expect(texts(render(input))).toEqual([banner, 'net0']);
  });

  it('joins a line that wraps, and shows one that never ends in pieces', () => {
    const long = 'x'.repeat(200);
    expect(render(`${long}\r\nafter\r\n`)).toMatchObject({
      lines: [{ text: long }, { text: 'after' }],
      transcript: [long, 'after'],
    });
    const endless = Array.from({ length: 30_000 }, (_, index) => String.fromCharCode(33 + (index % 90))).join('');
    const rendered = render(endless);
    expect(texts(rendered).join('')).toBe(endless);
    expect(rendered.transcript.join('')).toBe(endless);
  });
});

describe('characters', () => {
  const box437 = Buffer.from('c9cdcdbb0d0aba20ba0d0ac8cdcdbc0d0adac4c4bf0d0a', 'hex');
  test.each([
    ['UTF-8', Buffer.from('┌──┐\r\n│größe│\r\n— ⛔ ě\r\n'), ['┌──┐', '│größe│', '— ⛔ ě']],
    ['code page 437', box437, ['╔══╗', '║ ║', '╚══╝', '┌──┐']],
    ['both', Buffer.concat([Buffer.from('é\r\n'), Buffer.from('82b30d0a', 'hex')]), ['é', 'é│']],
    ["DEC's line drawing", Buffer.from(`${esc}(0lqqk${esc}(B lqqk\r\n${esc})0\x0ex\x0fx\r\n`), ['┌──┐ lqqk', '│x']],
    ['a sequence that the log ends in', Buffer.from('e29420e294', 'hex'), ['Γö Γö']],
  ])('of %s stand on the screen', (_, bytes, lines) => {
    for (let cut = 0; cut <= bytes.length; cut++) expect(texts(render(bytes, [cut]))).toEqual(lines);
  });
});

describe('what no terminal should be sent', () => {
  const most = '2147483647';
  test.each([...'@ABCDEFGHILMPSTXZ`abdefr'])(`CSI ${most} %s costs no more than a screen`, (final) => {
    const rendered = render(`before ${esc}[${most}${final}${esc}[Hafter\r\n`.repeat(50));
    expect(texts(rendered)).toContain('before');
    expect(rendered.transcript.join('\n')).toContain('after');
  });

  test.each([
    ['a string for the terminal', `${esc}]0;title\x07`, []],
    ['a string with its terminator', `${esc}P1$tnoise${esc}\\`, []],
    ['a string that a line ends in', `${esc}]noise`, ['noise']],
    ['a string without an end', `${esc}P${'n'.repeat(3000)}`, ['n'.repeat(1600), expect.stringMatching(/^n+$/)]],
    ['a sequence without an end', `${esc}[${'1;'.repeat(200)}`, [expect.stringMatching(/^[1;]+$/)]],
    ['a sequence that a letter of no sequence is in', `${esc}[1é`, ['é']],
    ['half an escape', esc, []],
  ])('%s swallows no line', (_, noise, shown) => {
    const lines = texts(render(`before\r\n${noise}\r\nafter\r\n`));
    expect(lines).toEqual(['before', ...shown, 'after']);
  });
});
