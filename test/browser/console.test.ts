import { expect, it } from 'vitest';
import type { HarnessEvent } from '../../harness/model/events.ts';
import { runRecords } from '../../harness/run/records/run-records.ts';
import { readerOfFile } from './browser.ts';
import { caseAddress, ids, recordedReport, recordedRunDir } from './recorded-report.ts';

const reader = readerOfFile();

const esc = '\u001b';

/** The console of a case whose serial port sent these pieces, one a second. */
async function openConsole(...pieces: string[]) {
  const known = runRecords(recordedRunDir);
  let offset = 0;
  const events = pieces.map((piece, index): HarnessEvent => {
    offset += Buffer.byteLength(piece);
    return { tMs: (index + 1) * 1000, source: 'serial', type: 'line', offset, text: '' };
  });
  const serial = { head: Buffer.from(pieces.join('')), leftOut: 0, tail: Buffer.alloc(0) };
  const read = (directory: string) => ({ ...known.read(directory), events, serial });
  const html = await recordedReport(undefined, { records: { ...known, read } });
  const { page } = await reader.open(html, caseAddress(ids.bios));
  const lines = () => page.locator('.transcript .line-text').allTextContents();
  return { page, lines };
}

it.each([
  ['clears the screen', `one\r\ntwo${esc}[2J${esc}[Hthree`, ['one', 'two', 'three']],
  ['goes home and erases below', `one\r\ntwo${esc}[H${esc}[Jthree`, ['one', 'two', 'three']],
  ['resets the terminal', `one\r\ntwo${esc}cthree`, ['one', 'two', 'three']],
  ['erases the scrollback', `one\r\ntwo${esc}[3J\r\nthree`, ['one', 'two', 'three']],
  ['erases below the cursor', `one\r\ntwo${esc}[H${esc}[1;2H${esc}[J\r\nthree`, ['two', 'o', 'three']],
  ['draws over a line', 'one\rtwo', ['two']],
  ['turns to a second screen', `one\r\n${esc}[?1049htwo\r\n${esc}[?1049lthree`, ['one', 'two', 'three']],
  ['fills a line and goes on', `${'x'.repeat(80)}yz\r\nend`, [`${'x'.repeat(80)}yz`, 'end']],
])('shows all that stood on the console of a guest that %s', async (_, serial, lines) => {
  expect(await (await openConsole(serial)).lines()).toEqual(lines);
});

it('keeps every line of a flood, and when it came', async () => {
  const numbers = Array.from({ length: 24_000 }, (_, index) => `${index}\r\n`);
  const { page, lines } = await openConsole(numbers.slice(0, 12_000).join(''), numbers.slice(12_000).join(''));
  expect(await lines()).toEqual(numbers.map((text) => text.trim()));
  const times = await page.locator('.transcript .line-time').allTextContents();
  expect(times.flatMap((time, line) => (time === '' ? [] : [[line, time]]))).toEqual([
    [0, '1.0'],
    [12_000, '2.0'],
  ]);
});

it('is not stalled by counts that no screen is as large as', async () => {
  const huge = [...'@LMPSTXIZbABCDEFGd'].map((final) => `${esc}[2147483647${final}`).join('');
  const { page, lines } = await openConsole(`before\r\nx${huge}\r\n`, `${esc}[2J${esc}[Hafter`);
  expect((await lines()).join('\n')).toContain('after');
  await page.getByRole('button', { name: 'Playback' }).click();
  expect(await page.locator('.screen-lines').innerText()).toContain('after');
});
