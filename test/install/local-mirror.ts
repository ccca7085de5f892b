import { createHash } from 'node:crypto';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createCleartextMessage, generateKey, readPrivateKey, sign } from 'openpgp';
import { create } from 'tar';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

function arArchive(members: readonly { name: string; bytes: Buffer }[]): Buffer {
  const parts = members.flatMap(({ name, bytes }) => {
    const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(bytes.length).padEnd(10)}\`\n`;
    return [Buffer.from(header), bytes, Buffer.alloc(bytes.length % 2, '\n')];
  });
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}

export type Content = Readonly<Record<string, string | { link: string }>>;

/** A .deb of these files; `path` of the tar may be changed on its way in. */
export async function makeDeb(
  content: Content,
  folder: string,
  rename: (path: string) => string = (path) => path,
): Promise<Buffer> {
  const root = join(folder, `content-${sha256(Buffer.from(JSON.stringify(content))).slice(0, 8)}`);
  for (const [path, what] of Object.entries(content)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    if (typeof what === 'string') await writeFile(join(root, path), what);
    else await symlink(what.link, join(root, path));
  }
  const tarball = join(folder, 'data.tar');
  const onWriteEntry = (entry: { path: string }) => {
    entry.path = rename(entry.path);
  };
  await create({ cwd: root, file: tarball, portable: true, preservePaths: true, onWriteEntry }, Object.keys(content));
  return arArchive([
    { name: 'debian-binary', bytes: Buffer.from('2.0\n') },
    { name: 'control.tar.gz', bytes: gzipSync('') },
    { name: 'data.tar.gz', bytes: gzipSync(await readFile(tarball)) },
  ]);
}

/** A mirror with one package, signed by a key made for the test, on loopback. */
export interface LocalMirror extends AsyncDisposable {
  readonly uri: string;
  /** The armoured public key. */
  readonly keys: string;
  /** What is served, by path: tests change it. */
  readonly files: Map<string, Buffer>;
  /** Signs a Release file with these fields, of this content, and serves it as InRelease. */
  publish(fields: Readonly<Record<string, string>>): Promise<void>;
}

const suite = 'bookworm';
export const packagePath = 'pool/main/f/firm/firm_1.0-1_all.deb';
const indexPath = 'main/binary-amd64/Packages.gz';

const deb822 = (fields: Readonly<Record<string, string>>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');

export async function openLocalMirror(
  deb: Buffer,
  listed: Readonly<Record<string, string>> = {},
): Promise<LocalMirror> {
  const { privateKey, publicKey } = await generateKey({ userIDs: [{ name: 'test' }], format: 'armored' });
  const files = new Map<string, Buffer>([[`/${packagePath}`, deb]]);
  const stanza = {
    Package: 'firm',
    Version: '1.0-1',
    Architecture: 'all',
    Filename: packagePath,
    Size: String(deb.length),
    SHA256: sha256(deb),
    ...listed,
  };
  const index = gzipSync(`Package: other\nVersion: 2\nArchitecture: all\n\n${deb822(stanza)}`);
  files.set(`/dists/${suite}/main/binary-amd64/by-hash/SHA256/${sha256(index)}`, index);
  files.set(`/dists/${suite}/${indexPath}`, index);
  const publish = async (fields: Readonly<Record<string, string>>) => {
    const release = deb822({ Suite: 'oldstable', Codename: suite, 'Acquire-By-Hash': 'yes', ...fields });
    const text = `${release}SHA256:\n ${sha256(index)} ${index.length} ${indexPath}\n`;
    const message = await createCleartextMessage({ text });
    const signingKeys = await readPrivateKey({ armoredKey: privateKey });
    files.set(`/dists/${suite}/InRelease`, Buffer.from(await sign({ message, signingKeys })));
  };
  await publish({});
  const server = createServer((request, response) => {
    const found = files.get(request.url ?? '');
    response.statusCode = found === undefined ? 404 : 200;
    response.end(found);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    uri: `http://127.0.0.1:${port}/`,
    keys: publicKey,
    files,
    publish,
    [Symbol.asyncDispose]: () => close(server),
  };
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
