import type { Inspection } from './inspect.ts';
import type { IpxeFacts } from './ipxe.ts';

/** The iPXE that a file has for each firmware interface; the first if there are several for one. */
export interface IpxeRoles {
  bios?: IpxeFacts['role'];
  uefi?: IpxeFacts['role'];
}

/** `undefined`: it contains no iPXE. */
export function ipxeRolesOf(inspection: Inspection): IpxeRoles | undefined {
  const roles: IpxeRoles = {};
  if (inspection.type === 'option-rom') {
    for (const { efi, ipxe } of inspection.images) {
      if (ipxe !== null) roles[efi === null ? 'bios' : 'uefi'] ??= ipxe.role;
    }
  } else if (inspection.type === 'pe' && inspection.ipxe !== null) roles.uefi = inspection.ipxe.role;
  else if (inspection.type === 'bios-nbp' && inspection.program === 'iPXE') roles.bios = 'full';
  return Object.keys(roles).length > 0 ? roles : undefined;
}
