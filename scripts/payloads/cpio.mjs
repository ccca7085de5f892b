// The "newc" archive format the kernel unpacks as initramfs (Documentation/driver-api/early-userspace/buffer-format).

const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
const hex = (value) => value.toString(16).toUpperCase().padStart(8, '0');

const fileTypes = { directory: 0o040000, file: 0o100000, character: 0o020000 };

function encodeEntry({ name, type, mode, device: [major, minor] = [0, 0], data = Buffer.alloc(0) }, inode) {
  const nameBytes = Buffer.from(`${name}\0`);
  const links = type === 'directory' ? 2 : 1;
  const fields = [inode, fileTypes[type] | mode, 0, 0, links, 0, data.length, 0, 0, major, minor, nameBytes.length, 0];
  const header = Buffer.from(`070701${fields.map(hex).join('')}`);
  return Buffer.concat([padded(Buffer.concat([header, nameBytes])), padded(data)]);
}

/** Entries in order, owned by root, without times: the same entries give the same bytes. */
export function encodeCpio(entries) {
  const encoded = entries.map((entry, index) => encodeEntry(entry, index + 1));
  const end = encodeEntry({ name: 'TRAILER!!!', type: 'file', mode: 0 }, 0);
  return Buffer.concat([...encoded, end]);
}
