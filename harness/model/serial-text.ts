/** The upper half of code page 437, which firmware and boot loaders draw their boxes with. */
const upperCp437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

const cp437 = (byte: number): string => (byte < 0x80 ? String.fromCharCode(byte) : (upperCp437[byte - 0x80] as string));

/** How many bytes follow the first of a UTF-8 sequence (RFC 3629 §4); 0 where it begins none. */
function followers(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 1;
  if (lead >= 0xe0 && lead <= 0xef) return 2;
  return lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
}

/** A line and the corner after it in code page 437, rather than the letters Ĵ and Ŀ or unassigned ones. */
const corners: ReadonlySet<number> = new Set([0xc4b4, 0xc4bf, 0xcdb5, 0xcdb8, 0xcdb9, 0xcdbb, 0xcdbc, 0xcdbe]);

export interface SerialDecoder {
  /** The characters that this byte completes: usually one, none within a sequence, several where it was not a sequence. */
  push(byte: number): string;
  /** The characters of a sequence that was cut off. */
  end(): string;
}

/**
 * Text of a serial port, byte by byte: UTF-8 where valid, code page 437 otherwise. Only ASCII control codes count: the C1
 * codes of ISO 8859-1 overlap with box-drawing characters in both encodings.
 */
export function createSerialDecoder(): SerialDecoder {
  let held: number[] = [];
  let needed = 0;

  function end(): string {
    const text = held.map(cp437).join('');
    held = [];
    needed = 0;
    return text;
  }

  function complete(): string {
    const [first = 0, second = 0] = held;
    const text = Buffer.from(held).toString('utf8');
    // Overlong forms, surrogates and values beyond Unicode become replacement characters; C1 codes do not count.
    const isOne = !text.includes('\ufffd') && text >= '\u00a0' && !corners.has(first * 256 + second);
    if (!isOne) return end();
    held = [];
    return text;
  }

  return {
    end,
    push(byte) {
      if (needed > 0 && byte >= 0x80 && byte <= 0xbf) {
        held.push(byte);
        needed--;
        return needed === 0 ? complete() : '';
      }
      const before = needed > 0 ? end() : '';
      needed = followers(byte);
      if (needed === 0) return before + cp437(byte);
      held = [byte];
      return before;
    },
  };
}
