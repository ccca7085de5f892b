import { describe, expect, it } from 'vitest';
import { consoleChunks } from '../../../harness/report/html/console-chunks.ts';

describe('the console of a report', () => {
  it('is what the serial port sent, cut at the moments at which it was seen', () => {
    const chunks = consoleChunks(Buffer.from('SeaBIOS\r\niPXE\r\nok'), [
      { tMs: 10, offset: 9 },
      { tMs: 10, offset: 9 },
      { tMs: 25, offset: 15 },
    ]);
    expect(chunks).toEqual([
      [10, 'SeaBIOS\r\n'],
      [25, 'iPXE\r\n'],
      [25, 'ok'],
    ]);
  });

  it('keeps a UTF-8 character that two moments share', () => {
    const serial = Buffer.from('a─b');
    expect(
      consoleChunks(serial, [
        { tMs: 1, offset: 2 },
        { tMs: 2, offset: 5 },
      ]),
    ).toEqual([
      [1, 'a'],
      [2, '─b'],
    ]);
  });

  it('reads code page 437, which firmware draws its boxes in, where not all of it is UTF-8', () => {
    const box = Buffer.from([0xda, 0xc4, 0xc4, 0xbf, 0x0d, 0x0a, 0xb3, 0xdb, 0xff, 0xb3]);
    expect(consoleChunks(box, [])).toEqual([[0, '┌──┐\r\n│█\u00a0│']]);
  });

  it('takes marks that lie about the length for what they can be', () => {
    const marks = [
      { tMs: 5, offset: 4 },
      { tMs: 6, offset: 2 },
      { tMs: 7, offset: 1_000_000 },
    ];
    expect(consoleChunks(Buffer.from('abcdef'), marks)).toEqual([
      [5, 'abcd'],
      [7, 'ef'],
    ]);
    expect(consoleChunks(Buffer.alloc(0), marks)).toEqual([]);
  });
});
