import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

/**
 * A folder's row: the folders and packages it imports (`node` stands for all of node:*). A computed import cannot be
 * resolved from the text: `computed` says, by file, which folder it reaches.
 * @typedef {{ folders: string[], packages: string[], computed?: Record<string, string> }} Row
 */

const literalImport = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire(?:\.resolve)?\(\s*)(['"])([^'"\n]+)\1/g;
const computedImport = /\b(?:import|require(?:\.resolve)?)\s*\(\s*(?!['"])\S/;
const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');

const packageOf = (specifier) =>
  specifier.startsWith('node:') ? 'node' : specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

/** The row of a file: the innermost folder that has one, or its folder below harness/, or harness/ itself, or the top folder. */
function rowNameOf(file, rows) {
  const nested = Object.keys(rows).filter((name) => name.split('/').length > 2 && file.startsWith(`${name}/`));
  if (nested.length > 0) return nested.sort((a, b) => b.length - a.length)[0];
  const [top, second, ...rest] = file.split('/');
  return top === 'harness' && rest.length > 0 ? `${top}/${second}` : top;
}

function sourcesOf(root) {
  return ['harness', 'scenarios']
    .filter((folder) => existsSync(`${root}/${folder}`))
    .flatMap((folder) => readdirSync(`${root}/${folder}`, { recursive: true }).map((name) => `${folder}/${name}`))
    .filter((file) => /\.m?[jt]s$/.test(file))
    .sort();
}

/** Every import of a file: the folder or package it reaches, and the specifier for a complaint. */
function* importsOf(root, file, row, rows) {
  const text = withoutComments(readFileSync(`${root}/${file}`, 'utf8'));
  for (const [, , specifier] of text.matchAll(literalImport)) {
    if (!specifier.startsWith('.')) yield { package: packageOf(specifier) };
    else yield { folder: rowNameOf(relative(root, resolve(root, dirname(file), specifier)), rows), specifier };
  }
  if (computedImport.test(text)) {
    const folder = row.computed?.[file];
    yield folder === undefined ? { unknown: true } : { folder, specifier: 'computed' };
  }
}

function complaintAbout(name, row, found) {
  if (found.unknown) return `${name}/ computes what it imports, and its row does not say what that is`;
  if (found.package !== undefined)
    return row.packages.includes(found.package) ? undefined : `${name}/ may not import the package ${found.package}`;
  if (found.folder === name || row.folders.includes(found.folder)) return undefined;
  return `${name}/ may not import ${found.folder}/ (${found.specifier})`;
}

/** What a row allows but nothing in its folder needs. */
function unusedOf(name, row, used) {
  return [
    ...row.folders.filter((folder) => !used.folders.has(folder)).map((folder) => `${name}/ does not import ${folder}/`),
    ...row.packages
      .filter((one) => !used.packages.has(one))
      .map((one) => `${name}/ does not import the package ${one}`),
    ...Object.keys(row.computed ?? {})
      .filter((file) => !used.computing.has(file))
      .map((file) => `${file} computes no import`),
  ].map((text) => `${text}; take it out of its row`);
}

/** What is wrong with the imports below `root` according to the rows, one line each. */
export function layerComplaints(root, rows) {
  const complaints = [];
  const used = new Map();
  for (const file of sourcesOf(root)) {
    const name = rowNameOf(file, rows);
    const row = rows[name];
    if (row === undefined) {
      complaints.push(`${file}: ${name}/ has no row`);
      continue;
    }
    if (!used.has(name)) used.set(name, { folders: new Set(), packages: new Set(), computing: new Set() });
    for (const found of importsOf(root, file, row, rows)) {
      const complaint = complaintAbout(name, row, found);
      if (complaint !== undefined) complaints.push(`${file}: ${complaint}`);
      if (found.package !== undefined) used.get(name).packages.add(found.package);
      else if (found.folder !== undefined) used.get(name).folders.add(found.folder);
      if (found.specifier === 'computed') used.get(name).computing.add(file);
    }
  }
  for (const [name, row] of Object.entries(rows)) {
    const uses = used.get(name);
    if (uses === undefined) complaints.push(`${name}/ has a row and no files`);
    else complaints.push(...unusedOf(name, row, uses));
  }
  return complaints;
}
