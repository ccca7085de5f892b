import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expandMatrix } from '../../harness/matrix/expand-matrix.ts';
import { loadMatrix } from '../../harness/matrix/load-matrix.ts';
import { folderOfFile } from '../temporary-folder.ts';

const folder = folderOfFile();

async function fileWith(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const group = `{ name: 'g', arch: 'aarch64', nic: 'virtio-net-pci' }`;

it.each(['m.ts', 'm.mts', 'm.mjs', 'm.js'])('loads %s from outside the checkout', async (name) => {
  const file = await fileWith(
    name,
    `import { defineMatrix } from 'netboot-harness';\nexport default defineMatrix({ name: 'mine', groups: [${group}] });\n`,
  );
  const matrix = await loadMatrix(file);
  expect(expandMatrix(matrix).cells.map(({ id }) => id)).toEqual(['g.aarch64.virt.aavmf.virtio-net-pci.bundled']);
});

it('erases types and syntax of TypeScript', async () => {
  const file = await fileWith(
    'typed.ts',
    `import type { MatrixInput } from 'netboot-harness';\nconst nics: string[] = ['e1000', 'pcnet'];\n` +
      `export default { name: 'm', groups: [{ name: 'g', arch: 'aarch64', nic: nics }] } satisfies MatrixInput;\n`,
  );
  expect((await loadMatrix(file)).groups[0]?.nic).toEqual(['e1000', 'pcnet']);
});

it('takes the files it names relative to itself', async () => {
  const matrix = {
    name: 'm',
    groups: [
      {
        name: 'g',
        arch: 'x86_64',
        firmware: { code: 'fw/CODE.fd' },
        nic: 'e1000',
        rom: [{ file: 'my.rom' }, 'none'],
        secondStage: { file: '/abs/nbp.efi' },
        serve: { 'boot/grub.cfg': { path: 'grub.cfg' }, 'a.txt': { text: 'path' } },
        expectations: [
          { when: { rom: { file: 'my.rom' } }, expect: { stopsAt: 'nbp', failure: 'uefi-shell', reason: 'y' } },
        ],
      },
    ],
  };
  const loaded = await loadMatrix(await fileWith('paths.json', JSON.stringify(matrix)));
  expect(loaded.groups[0]).toMatchObject({
    firmware: { code: join(folder, 'fw/CODE.fd') },
    rom: [{ file: join(folder, 'my.rom') }, 'none'],
    secondStage: { file: '/abs/nbp.efi' },
    serve: { 'boot/grub.cfg': { path: join(folder, 'grub.cfg') }, 'a.txt': { text: 'path' } },
  });
  expect(expandMatrix(loaded).cells[0]?.expect).toMatchObject({ stopsAt: 'nbp' });
});

const broken: [string, string, RegExp][] = [
  [
    'broken.json',
    '{\n  "name": "m",\n  "groups": [}\n',
    /broken\.json: not valid JSON: Unexpected token '}', .*"groups": \[}/,
  ],
  ['comma.json', '{\n  "name": "m"\n  "groups": []\n}', /comma\.json: not valid JSON: line 3, column 3: Expected ','/],
  ['cut.json', '{ "name": ', /cut\.json: not valid JSON: /],
  ['broken.ts', 'export default {', /broken\.ts: syntax error: /],
  ['throws.ts', 'throw new Error("no luck");', /throws\.ts: loading it failed: no luck/],
  ['imports.ts', 'import x from "./not-there.ts"; export default x;', /imports\.ts: loading it failed: .*not-there/],
  ['named.ts', 'export const matrix = {};', /named\.ts: no default export/],
  [
    'shape.ts',
    'export default { name: "m", groups: [{ name: "g", arch: "arm", nic: "e1000" }] };',
    /shape\.ts: groups\[0\]\.arch: expected/,
  ],
  ['matrix.yaml', 'name: m', /matrix\.yaml: expected a \.json, .* file, saw "\.yaml"/],
];
it.each(broken)('%s is refused with what is wrong', async (name, text, message) => {
  const file = await fileWith(name, text);
  await expect(loadMatrix(file)).rejects.toThrow(message);
  await expect(loadMatrix(file)).rejects.toMatchObject({ name: 'HarnessError', code: 'bad-matrix' });
});

it('says that a file is missing or is a folder', async () => {
  await expect(loadMatrix(join(folder, 'none.json'))).rejects.toThrow(/none\.json: no such file/);
  await expect(loadMatrix('/definitely/not/a/folder.ts')).rejects.toThrow(/no such file/);
});
