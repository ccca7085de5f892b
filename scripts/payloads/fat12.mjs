// A FAT12 file system without partitions, just large enough for some boot files (UEFI 2.10 §13.3; ECMA-107).

const sectorBytes = 512;
const sectors = 2048;
const reservedSectors = 1;
const fatSectors = 6;
const rootEntries = 16;
const rootSector = reservedSectors + fatSectors;
const firstDataSector = rootSector + (rootEntries * 32) / sectorBytes;
const attributes = { directory: 0x10, file: 0x20 };

/** ECMA-107 §9: bytes 3–61 of the boot sector. */
function parameterBlock() {
  const block = Buffer.alloc(59);
  block.write('NETBOOT ', 0, 'ascii');
  block.writeUInt16LE(sectorBytes, 8);
  block.writeUInt8(1, 10); // sectors per cluster
  block.writeUInt16LE(reservedSectors, 11);
  block.writeUInt8(1, 13); // allocation tables
  block.writeUInt16LE(rootEntries, 14);
  block.writeUInt16LE(sectors, 16);
  block.writeUInt8(0xf8, 18); // fixed disk
  block.writeUInt16LE(fatSectors, 19);
  block.writeUInt16LE(32, 21); // sectors per track
  block.writeUInt16LE(2, 23); // heads
  block.writeUInt8(0x80, 33); // drive
  block.writeUInt8(0x29, 35);
  block.write('NBH PROBE  FAT12   ', 40, 'ascii');
  return block;
}

function directoryEntry(name, kind, cluster, bytes) {
  const [base, extension = ''] = name === '.' || name === '..' ? [name] : name.split('.');
  const entry = Buffer.alloc(32);
  entry.write(base.padEnd(8) + extension.padEnd(3), 0, 'ascii');
  entry.writeUInt8(attributes[kind], 11);
  entry.writeUInt16LE(0x21, 24); // 1 January 1980
  entry.writeUInt16LE(cluster, 26);
  entry.writeUInt32LE(bytes, 28);
  return entry;
}

/** FAT12 entries are 12 bits, two in three bytes. */
function setFatEntry(image, cluster, value) {
  const at = reservedSectors * sectorBytes + cluster + (cluster >> 1);
  const old = image.readUInt16LE(at);
  image.writeUInt16LE(cluster % 2 === 1 ? (old & 0x000f) | (value << 4) : (old & 0xf000) | value, at);
}

/**
 * `bootSector` (512 bytes of code with room for the parameter block) and a tree of upper-case 8.3 names:
 * a Buffer is a file, an object a folder.
 */
export function encodeFat12(bootSector, tree) {
  const image = Buffer.alloc(sectors * sectorBytes);
  bootSector.copy(image);
  parameterBlock().copy(image, 3);
  setFatEntry(image, 0, 0xff8);
  setFatEntry(image, 1, 0xfff);
  let nextCluster = 2;
  const allocate = (bytes) => {
    const first = nextCluster;
    nextCluster += Math.max(1, Math.ceil(bytes / sectorBytes));
    for (let cluster = first; cluster < nextCluster; cluster += 1) {
      setFatEntry(image, cluster, cluster + 1 < nextCluster ? cluster + 1 : 0xfff);
    }
    return first;
  };
  const put = (bytes, cluster) => bytes.copy(image, (firstDataSector + cluster - 2) * sectorBytes);
  const store = (folder, cluster) =>
    Object.entries(folder).map(([name, content]) => {
      if (Buffer.isBuffer(content)) {
        const start = allocate(content.length);
        put(content, start);
        return directoryEntry(name, 'file', start, content.length);
      }
      const start = allocate(sectorBytes);
      const links = [directoryEntry('.', 'directory', start, 0), directoryEntry('..', 'directory', cluster, 0)];
      put(Buffer.concat([...links, ...store(content, start)]), start);
      return directoryEntry(name, 'directory', start, 0);
    });
  Buffer.concat(store(tree, 0)).copy(image, rootSector * sectorBytes);
  return image;
}
