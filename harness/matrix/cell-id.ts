import { axisText, type CellAxes } from '../model/axis-text.ts';
import { fixedDefaults } from './cell-axes.ts';

/** Safe in a URL path, in a file name and in a shell word on every host. */
function safe(text: string): string {
  return text.replace(/[^A-Za-z0-9._@+-]+/g, '-').replace(/^[.-]+/, '');
}

/** Non-default machine settings as ids show them. */
const machineAxes = [
  { axis: 'memoryMiB', prefix: 'm' },
  { axis: 'cpu', prefix: 'cpu-' },
  { axis: 'serialPorts', prefix: 'serial-' },
  { axis: 'virtio', prefix: 'virtio-' },
  { axis: 'bootNic', prefix: '' },
] as const;

/**
 * `group.arch.machine.firmware[@set].nic.rom[.secondStage][.transport][.payload][.sb-…][.ipv6][.qemu][.m…][.cpu-…]…`, with
 * default values left out. An id is a name: nothing ever parses it back.
 */
export function cellIdOf(group: string, cell: CellAxes): string {
  const unlessDefault = (axis: 'secondStage' | 'transport' | 'payload') =>
    axisText(cell, axis) === fixedDefaults[axis] ? [] : [axisText(cell, axis)];
  return [
    group,
    cell.arch,
    cell.machine,
    axisText(cell, 'firmware') + (cell.set === fixedDefaults.set ? '' : `@${cell.set}`),
    cell.nic,
    axisText(cell, 'rom'),
    ...unlessDefault('secondStage'),
    ...unlessDefault('transport'),
    ...unlessDefault('payload'),
    ...(cell.secureBoot === 'off' ? [] : [`sb-${cell.secureBoot}`]),
    ...(cell.ipVersion === 4 ? [] : ['ipv6']),
    ...(cell.qemu === fixedDefaults.qemu ? [] : [axisText(cell, 'qemu')]),
    ...machineAxes.flatMap(({ axis, prefix }) => (cell[axis] === undefined ? [] : [`${prefix}${cell[axis]}`])),
  ]
    .map(safe)
    .join('.');
}
