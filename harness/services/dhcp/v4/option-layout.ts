import type { ActionOf, FaultOf } from '../../../model/server-faults.ts';
import type { ChosenFaults } from '../../faults.ts';

/** A reply as it is about to be written: its options in order, an option more than once if need be. */
interface Layout {
  /** The fixed fields up to the magic cookie, which it includes. */
  readonly head: Buffer;
  readonly options: readonly Option[];
  /** Of the whole payload; longer than what is in it: padded. */
  readonly bytes: number;
}

interface Option {
  readonly code: number;
  readonly value: Buffer;
}

type Arrange<A extends ActionOf<'dhcp'>> = (layout: Layout, value: NonNullable<FaultOf<'dhcp'>[A]>) => Layout;

const headBytes = 240;
const headersBytes = 28;
const end = 255;
const codes = { overload: 52, messageType: 53, serverName: 66, bootFile: 67 } as const;
/** RFC 2131 §2; the value of option 52 for each (RFC 2132 §9.3), file first as it is read (RFC 2131 §4.1). */
const nameFields = {
  file: { at: 108, bytes: 128, flag: 1, code: codes.bootFile },
  sname: { at: 44, bytes: 64, flag: 2, code: codes.serverName },
} as const;
type NameField = keyof typeof nameFields;

/** In the order in which they apply. */
const arrangements: { readonly [A in ActionOf<'dhcp'>]?: Arrange<A> } = {
  reverseOptions: (layout) => ({ ...layout, options: layout.options.toReversed() }),
  repeatOptions: (layout, repeated) => ({
    ...layout,
    options: layout.options.flatMap((option) => (repeated.includes(option.code) ? [option, option] : [option])),
  }),
  splitOptionsAt: (layout, bytes) => ({ ...layout, options: layout.options.flatMap((option) => split(option, bytes)) }),
  overload: (layout, fields) => overloaded(layout, fields === 'both' ? ['file', 'sname'] : [fields]),
  datagramBytes: (layout, bytes) => ({ ...layout, bytes: bytes - headersBytes }),
};

/** A datagram as `encodeDhcp` writes it, with its options as the faults of its request want them, and which of these changed it. */
export function layOut(
  payload: Buffer,
  faults: ChosenFaults<'dhcp'>,
): { readonly payload: Buffer; readonly met: readonly ActionOf<'dhcp'>[] } {
  let layout: Layout = { head: payload.subarray(0, headBytes), options: optionsOf(payload), bytes: payload.length };
  const met: ActionOf<'dhcp'>[] = [];
  for (const [action, arrange] of Object.entries(arrangements) as [ActionOf<'dhcp'>, Arrange<ActionOf<'dhcp'>>][]) {
    const value = faults.get(action);
    if (value === undefined) continue;
    const arranged = arrange(layout, value);
    if (written(arranged).equals(written(layout))) continue;
    layout = arranged;
    met.push(action);
  }
  return { payload: met.length === 0 ? payload : written(layout), met };
}

function optionsOf(payload: Buffer): Option[] {
  const options: Option[] = [];
  for (let at = headBytes; payload[at] !== end; ) {
    const [code, length] = payload.subarray(at, at + 2) as unknown as [number, number];
    options.push({ code, value: payload.subarray(at + 2, at + 2 + length) });
    at += 2 + length;
  }
  return options;
}

const bytesOf = ({ code, value }: Option): Buffer => Buffer.concat([Buffer.of(code, value.length), value]);

function split({ code, value }: Option, bytes: number): Option[] {
  const parts: Option[] = [];
  for (let at = 0; at === 0 || at < value.length; at += bytes) {
    parts.push({ code, value: value.subarray(at, at + bytes) });
  }
  return parts;
}

/** Fills the fields with options, in order; the message type, and what does not fit, stays where it was. */
function overloaded(layout: Layout, names: readonly NameField[]): Layout {
  const head = Buffer.from(layout.head);
  const flag = names.reduce((sum, name) => sum + nameFields[name].flag, 0);
  let left = [...layout.options, ...names.flatMap((name) => movedName(layout, name))];
  for (const name of names) {
    const { at, bytes } = nameFields[name];
    const field = head.subarray(at, at + bytes).fill(0);
    let filled = 0;
    left = left.filter((option) => {
      const written = bytesOf(option);
      if (option.code === codes.messageType || filled + written.length >= bytes) return true;
      written.copy(field, filled);
      filled += written.length;
      return false;
    });
    field[filled] = end;
  }
  return { ...layout, head, options: [{ code: codes.overload, value: Buffer.of(flag) }, ...left] };
}

/** The name in a field as the option that stands for it, unless that is there already. */
function movedName({ head, options }: Layout, name: NameField): Option[] {
  const { at, bytes, code } = nameFields[name];
  const field = head.subarray(at, at + bytes);
  const value = Buffer.from(field.subarray(0, field.indexOf(0)));
  return value.length === 0 || options.some((option) => option.code === code) ? [] : [{ code, value }];
}

/** Pads come before the end option, so that the options reach as far as the datagram does. */
function written({ head, options, bytes }: Layout): Buffer {
  const parts = [head, ...options.map(bytesOf)];
  const pads = bytes - parts.reduce((sum, part) => sum + part.length, 0) - 1;
  return Buffer.concat([...parts, Buffer.alloc(Math.max(0, pads)), Buffer.of(end)]);
}
