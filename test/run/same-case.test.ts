import { describe, expect, it } from 'vitest';
import type { Input, Plan } from '../../harness/model/plan.ts';
import type { Resolved } from '../../harness/model/resolved.ts';
import type { Scenario } from '../../harness/model/scenario.ts';
import { differencesOf, type PlannedCase } from '../../harness/run/again/same-case.ts';
import type { StartedQemu } from '../../harness/run/records/case-directory.ts';
import { runningArgv } from '../../harness/vm/running-argv.ts';
import { planOf, resolved, scenario } from '../plan/found-scenario.ts';

const hash = (letter: string) => letter.repeat(64);
const input = (role: Input['role'], path: string, letter: string): Input => ({
  role,
  path,
  sha256: hash(letter),
  bytes: 1,
});

interface Given {
  cell?: Partial<Scenario>;
  files?: Partial<Resolved>;
  inputs?: Input[];
  qemu?: Partial<StartedQemu>;
  nonce?: string;
}

/** A case that was planned like this; `folder` is where its files lie on this machine. */
function planned({ cell = {}, files = {}, inputs, qemu = {}, nonce }: Given = {}, folder = ''): PlannedCase {
  const standard = resolved();
  const move = <T extends { path: string }>(file: T | undefined) => file && { ...file, path: folder + file.path };
  const found = {
    ...standard,
    firmware: { ...standard.firmware, code: `${folder}/code.fd`, vars: `${folder}/vars,1.fd` },
    nbp: move(standard.nbp),
    kernel: move(standard.kernel),
    initrd: move(standard.initrd),
    companions: { 'grubx64.efi': { path: `${folder}/grub`, bytes: 20 } },
    inputs: inputs ?? [
      input('firmware-code', `${folder}/code.fd`, 'a'),
      input('firmware-vars', `${folder}/vars,1.fd`, 'b'),
      input('nbp', `${folder}/shim`, 'c'),
      input('second-stage', `${folder}/grub`, 'd'),
      input('kernel', `${folder}/linux`, 'e'),
      input('initrd', `${folder}/initrd`, 'f'),
    ],
    ...files,
  };
  const made = planOf(scenario(cell), found);
  const plan: Plan = nonce === undefined ? made : JSON.parse(JSON.stringify(made).replaceAll(made.nonce, nonce));
  const accel = qemu.accel ?? 'tcg';
  const started = {
    program: plan.qemu.program,
    version: '7.2.22',
    accel,
    argv: runningArgv(plan, { sandbox: true }, accel),
  };
  return { plan, qemu: { ...started, ...qemu } };
}

describe('a case is the same', () => {
  it('with another nonce, other folders of its files, and more time', () => {
    expect(differencesOf(planned(), planned())).toEqual([]);
    expect(differencesOf(planned(), planned({ nonce: '123456789abc' }))).toEqual([]);
    expect(differencesOf(planned({}, '/home/a'), planned({}, '/home/b,c/d'))).toEqual([]);
    expect(differencesOf(planned(), planned({ cell: { deadlines: { totalMs: 86_400_000 } } }))).toEqual([]);
  });

  it('where its record does not say which QEMU it had', () => {
    expect(differencesOf({ ...planned(), qemu: undefined }, planned({ qemu: { version: '10.0' } }))).toEqual([]);
  });
});

describe('a case is another one', () => {
  const shim = (letter: string, path = '/shim') => [input('nbp', path, letter)];

  it.each<[string, Given, Given, string[]]>([
    [
      'with a file of other content',
      { inputs: shim('a') },
      { inputs: shim('b') },
      ['nbp: /shim had SHA-256 aaaaaaaaaaaaaaaa…, and has SHA-256 bbbbbbbbbbbbbbbb…'],
    ],
    [
      'with a file of other content from elsewhere',
      { inputs: shim('a') },
      { inputs: shim('b', '/new/shim'), files: { nbp: { name: 'shimx64.efi', path: '/new/shim', bytes: 10 } } },
      ['nbp: /shim had SHA-256 aaaaaaaaaaaaaaaa…, and /new/shim has SHA-256 bbbbbbbbbbbbbbbb…'],
    ],
    [
      'without a file',
      { inputs: [...shim('a'), input('served', '/x', 'c')] },
      { inputs: shim('a') },
      ['served: was /x, now absent'],
    ],
    [
      'with a further file',
      { inputs: shim('a') },
      { inputs: [...shim('a'), input('served', '/x', 'c')] },
      ['served: was absent, now /x'],
    ],
    ['on another QEMU', {}, { qemu: { version: '10.0.3' } }, ['QEMU was 7.2.22, now 10.0.3']],
    ['with another accelerator', { qemu: { accel: 'kvm' } }, {}, ['the accelerator was kvm, now tcg']],
    ['with another argument', {}, { cell: { qemuArgs: ['-S'] } }, ["QEMU's arguments: then nothing, now -S"]],
    ['with another CPU', {}, { cell: { cpu: 'Nehalem' } }, ["QEMU's arguments: then qemu64, now Nehalem"]],
    [
      'with another boot policy',
      {},
      { cell: { boot: [{ name: 'x', when: {}, answer: true, options: [] }] } },
      ['the boot policy: planned differently now'],
    ],
    [
      'with another text served',
      {},
      { cell: { serve: { a: { text: 'b' } } } },
      ['what is served: planned differently now'],
    ],
    ['with another transport', {}, { cell: { proxyDhcp: true } }, ['the network: planned differently now']],
  ])('%s', (_, then, now, differences) => {
    expect(differencesOf(planned(then), planned(now))).toEqual(differences);
  });

  it('with the files of two roles exchanged', () => {
    const files = [input('kernel', '/a', 'a'), input('initrd', '/b', 'b')];
    const exchanged = [input('kernel', '/b', 'b'), input('initrd', '/a', 'a')];
    expect(differencesOf(planned({ inputs: files }), planned({ inputs: exchanged }))).toHaveLength(2);
  });
});

it('a record with anything in the place of a nonce or path is compared all the same', () => {
  const odd = (nonce: string, path: string): PlannedCase => {
    const { plan, qemu } = planned({ inputs: [input('nbp', path, 'a')] });
    return { plan: { ...plan, nonce }, qemu };
  };
  for (const text of ['', '"', '\\', '\\"', '{', '$&'])
    expect(differencesOf(odd(text, text), planned({ inputs: [input('nbp', '/shim', 'a')] })).length).toBeLessThan(6);
});
