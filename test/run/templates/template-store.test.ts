import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { machineFilesIn, writeTemplateRecord } from '../../../harness/run/templates/template.ts';
import type { TemplateKey } from '../../../harness/run/templates/template-id.ts';
import { type Claim, openTemplateStore, storedTemplates } from '../../../harness/run/templates/template-store.ts';
import { folderOfTest } from '../../temporary-folder.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
});

const mebibyte = 1 << 20;
const key = (id: string): TemplateKey => ({ id, moment: 'question' });
const open = (over: Partial<Parameters<typeof openTemplateStore>[0]> = {}) =>
  openTemplateStore({ folder, limitBytes: 100 * mebibyte, keep: false, latest: 'question', ...over });

/** Files as a saved guest leaves them. */
function fill(claim: Claim): void {
  if (claim.start !== 'make') throw new Error(`expected to make it, saw ${claim.start}`);
  fillFolder(claim.folder);
  claim.made();
}

function fillFolder(path: string): void {
  const { ram, devices } = machineFilesIn(path);
  writeFileSync(ram, Buffer.alloc(mebibyte, 1));
  writeFileSync(devices, 'state');
  writeTemplateRecord(path, { atMs: 5, guestCpuMs: 4, seen: [], asked: ['AAAA'] });
}

describe('templates of a run', () => {
  it('are made by the first case of a machine, used by the others, and gone after the last', async () => {
    const store = open();
    for (const _ of [1, 2, 3]) store.expect(key('a'));
    const first = await store.claim(key('a'));
    const second = store.claim(key('a'));
    fill(first);
    const [two, three] = await Promise.all([second, store.claim(key('a'))]);
    expect([first.start, two.start, three.start]).toEqual(['make', 'restore', 'restore']);
    two.release();
    two.release();
    expect(readdirSync(folder)).toEqual(['a']);
    three.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are not made for a machine that no other case has', async () => {
    const store = open();
    store.expect(key('a'));
    expect((await store.claim(key('a'))).start).toBe('cold');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are not waited for once making one has failed', async () => {
    const store = open();
    for (const _ of [1, 2, 3]) store.expect(key('a'));
    const first = await store.claim(key('a'));
    const second = store.claim(key('a'));
    first.release();
    expect([(await second).start, (await store.claim(key('a'))).start]).toEqual(['cold', 'cold']);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are made by the next case where the first was kept from it by what passes', async () => {
    const store = open();
    for (const _ of [1, 2, 3]) store.expect(key('a'));
    const first = await store.claim(key('a'));
    const second = store.claim(key('a'));
    if (first.start === 'make') first.postpone();
    first.release();
    fill(await second);
    expect((await store.claim(key('a'))).start).toBe('restore');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('are awaited from the next case, whenever the guest of the one that put it off ends', async () => {
    const store = open();
    for (const _ of [1, 2, 3, 4]) store.expect(key('a'));
    const first = await store.claim(key('a'));
    const claims = [store.claim(key('a')), store.claim(key('a'))];
    if (first.start === 'make') first.postpone();
    const second = (await claims[0]) as Claim;
    first.release();
    fill(second);
    expect((await claims[1])?.start).toBe('restore');
  });

  it('stay for the next run when they are to be kept, and one case is enough to make one', async () => {
    const store = open({ keep: true });
    store.expect(key('a'));
    fill(await store.claim(key('a')));
    store.close();
    const next = open();
    next.expect(key('a'));
    const claim = await next.claim(key('a'));
    expect(claim.start).toBe('restore');
    claim.release();
    next.close();
    // It was another run that made it.
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('are removed when the run ends before their last case', async () => {
    const store = open();
    for (const _ of [1, 2]) store.expect(key('a'));
    fill(await store.claim(key('a')));
    store.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('give way within their bound, the least recently used first', async () => {
    const store = open({ keep: true, limitBytes: 2.5 * mebibyte });
    for (const [at, id] of ['a', 'b', 'c'].entries()) {
      fill(await store.claim(key(id)));
      utimesSync(join(folder, id), 1000 + at, 1000 + at);
    }
    expect(readdirSync(folder).sort()).toEqual(['b', 'c']);
    (await store.claim(key('b'))).release();
    fill(await store.claim(key('d')));
    expect(readdirSync(folder).sort()).toEqual(['b', 'd']);
    expect(storedTemplates(folder)).toMatchObject({ count: 2 });
  });

  it.each<[string, (path: string) => void]>([
    ['shorter RAM', (path) => writeFileSync(machineFilesIn(path).ram, 'x')],
    ['no state of the devices', (path) => rmSync(machineFilesIn(path).devices)],
    ['half a record', (path) => writeFileSync(join(path, 'start.json'), '{"version":1,"at')],
    ['a record of another kind', (path) => writeFileSync(join(path, 'start.json'), '[]')],
  ])('with %s are not used', async (_, damage) => {
    mkdirSync(join(folder, 'a'));
    fillFolder(join(folder, 'a'));
    damage(join(folder, 'a'));
    expect((await open().claim(key('a'))).start).toBe('cold');
  });

  it('that a killed run left unfinished are never found, and removed in the end', async () => {
    const left = join(folder, 'a.0123.part');
    mkdirSync(left);
    fillFolder(left);
    expect((await open().claim(key('a'))).start).toBe('cold');
    utimesSync(left, 1000, 1000);
    const store = open({ keep: true });
    fill(await store.claim(key('b')));
    expect(existsSync(left)).toBe(false);
  });
});
