import type { FileHandle } from 'node:fs/promises';
import { unfetchable } from './package-source.ts';

/** A member of an archive (ar(5), as deb(5) uses it): where its bytes are. */
export interface ArMember {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

const magic = '!<arch>\n';
const headerBytes = 60;
/** A .deb has three; some have signatures as well. */
const maxMembers = 16;

async function textAt(file: FileHandle, offset: number, bytes: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, offset);
  return buffer.toString('latin1', 0, bytesRead);
}

/** The members in order; rejects with HarnessError `missing-asset` where the file is no such archive. */
export async function readArMembers(file: FileHandle, name: string): Promise<ArMember[]> {
  const { size } = await file.stat();
  const members: ArMember[] = [];
  if ((await textAt(file, 0, magic.length)) !== magic) throw unfetchable(`${name}: expected an ar archive`);
  for (let at = magic.length; at < size; ) {
    const [, member, length] = /^(.{16}).{32}(\d{1,10}) *`\n$/s.exec(await textAt(file, at, headerBytes)) ?? [];
    const bytes = Number(length);
    if (member === undefined || at + headerBytes + bytes > size || members.length === maxMembers) {
      throw unfetchable(`${name}: expected an ar archive of a few members, saw something else at byte ${at}`);
    }
    members.push({ name: member.trim().replace(/\/$/, ''), offset: at + headerBytes, bytes });
    at += headerBytes + bytes + (bytes % 2);
  }
  return members;
}
