import { describe, expect, it } from 'vitest';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';
import { HarnessError } from '../../harness/model/errors.ts';

const group = { name: 'g', arch: 'aarch64', nic: 'virtio-net-pci' };

function problemsOf(value: unknown): string[] {
  try {
    parseMatrix(value, 'my-matrix.json');
  } catch (error) {
    expect(error).toBeInstanceOf(HarnessError);
    expect((error as HarnessError).code).toBe('bad-matrix');
    return (error as HarnessError).message.split('\n');
  }
  return [];
}
const problemsOfGroup = (fields: object) => problemsOf({ name: 'm', groups: [{ ...group, ...fields }] });

describe('errors name the path, what was expected and what was seen', () => {
  const cases: [string, object, string][] = [
    ['a wrong value in a list', { nic: ['e1000', 7] }, 'groups[0].nic[1]: expected a text, saw 7'],
    [
      'a NIC that is no device name',
      { nic: 'e 1000' },
      'groups[0].nic: a NIC is a QEMU device name, such as e1000; saw "e 1000"',
    ],
    [
      'a fault of a server that cannot have it',
      { faults: [{ server: 'dhcp6', nak: true }] },
      'groups[0].faults[0]: unknown key "nak"',
    ],
    [
      'a fault of an unknown server',
      { faults: [{ server: 'dchp', nak: true }] },
      'groups[0].faults[0].server: expected one of dhcp, dhcp6, tftp, http, tls, saw "dchp"',
    ],
    [
      'a fault that does nothing',
      { faults: [{ server: 'dhcp', of: { nth: 2 } }] },
      'groups[0].faults[0]: a fault does something: one of silent, delayMs,',
    ],
    ['an empty list', { nic: [] }, 'groups[0].nic: expected a non-empty list, saw []'],
    ['a missing axis', { nic: undefined }, 'groups[0].nic: expected a text, or a list, saw nothing'],
    [
      'an unknown enum value',
      { arch: 'arm64' },
      'groups[0].arch: expected one of x86_64, aarch64, or a list, saw "arm64"',
    ],
    ['a misspelt enum value', { secondStage: 'snp-only' }, 'saw "snp-only"; did you mean "snponly"?'],
    ['an unknown key', { nics: 'e1000' }, 'groups[0]: unknown key "nics"; did you mean "nic"?'],
    [
      'an unknown key of a condition',
      { exclude: [{ when: { nik: 'x' }, reason: 'r' }] },
      'groups[0].exclude[0].when: unknown key "nik"; did you mean "nic"?',
    ],
    [
      'a half expectation',
      { expect: { stopsAt: 'nbp', reason: 'r' } },
      'groups[0].expect.failure: expected one of bds-nothing, ',
    ],
    ['an unknown stage', { stagePath: ['firmware', 'dhpc'] }, 'groups[0].stagePath[1]: expected one of'],
    ['a function', { title: () => 'x' }, 'groups[0].title: expected a text, saw a function'],
    [
      'a bad option value',
      { boot: [{ name: 'r', options: [{ code: 43, op: 'set', value: { hex: '6' } }] }] },
      'groups[0].boot[0].options[0].value.hex: hex bytes, such as',
    ],
    ['no ROM, of a set', { rom: { kind: 'none', set: 'forky' } }, 'groups[0].rom.kind: expected one of bundled, bios,'],
    ['memory out of range', { memoryMiB: 1 }, 'groups[0].memoryMiB: '],
  ];
  it.each(cases)('%s', (_, fields, expected) => {
    const problems = problemsOfGroup(fields);
    expect(problems.join('\n')).toContain(expected);
    expect(problems[0]).toMatch(/^my-matrix\.json: groups\[0\]/);
  });

  it.each([[null], [[]], ['text'], [{}], [{ name: 'm', groups: {} }]])('%j is no matrix', (value) => {
    expect(problemsOf(value)[0]).toMatch(/^my-matrix\.json: .*expected/);
  });

  it('does not drown the reader', () => {
    const problems = problemsOf({ name: 'm', groups: Array.from({ length: 40 }, () => ({})) });
    expect(problems.at(-1)).toMatch(/^… and \d+ more$/);
    expect(problems.length).toBeLessThan(12);
  });
});

it('accepts the smallest matrix there is', () => {
  expect(parseMatrix({ name: 'm', groups: [group] }, 'x').groups[0]).toEqual(group);
});
