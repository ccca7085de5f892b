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
      'a fault with an action that is not said',
      { faults: [{ server: 'dhcp', silent: undefined }] },
      'groups[0].faults[0]: a fault does something: one of silent, delayMs,',
    ],
    [
      'a fault that only says false',
      { faults: [{ server: 'dhcp', silent: false }] },
      'groups[0].faults[0].silent: expected true, saw false',
    ],
    [
      'a NAK to a DISCOVER',
      { faults: [{ server: 'dhcp', match: { message: 'discover' }, nak: true }] },
      'groups[0].faults[0].nak: does nothing to "discover": match request, or leave that out',
    ],
    [
      'a second server to a REQUEST',
      { faults: [{ server: 'dhcp', match: { message: 'request' }, secondServer: {} }] },
      'groups[0].faults[0].secondServer: does nothing to "request": match discover, or leave that out',
    ],
    [
      'a NAK of a boot server',
      { faults: [{ server: 'dhcp', match: { port: 4011 }, nak: true }] },
      'groups[0].faults[0].nak: a boot server (port 4011) gives no addresses: match port 67, or leave that out',
    ],
    [
      'a message that no server answers',
      { faults: [{ server: 'dhcp', match: { message: 'release' }, silent: true }] },
      'groups[0].faults[0].match.message: expected one of discover, request, inform, saw "release"',
    ],
    [
      'a time to ask again without a status',
      { faults: [{ server: 'http', retryAfterSeconds: 3 }] },
      'groups[0].faults[0].retryAfterSeconds: goes with a "status" that may say so: one of 3xx, 413, 429 or 503; saw ',
    ],
    [
      'a time to ask again with another status',
      { faults: [{ server: 'http', status: 404, retryAfterSeconds: 3 }] },
      'groups[0].faults[0].retryAfterSeconds: goes with a "status" that may say so: one of 3xx, 413, 429 or 503; saw ',
    ],
    [
      'a body cut short where there is none',
      { faults: [{ server: 'http', match: { method: 'HEAD' }, truncateToBytes: 3 }] },
      'groups[0].faults[0].truncateToBytes: does nothing to "HEAD": match GET, or leave that out; saw 3',
    ],
    [
      'silence and an answer',
      { faults: [{ server: 'http', silent: true, status: 404 }] },
      'groups[0].faults[0].status: does nothing next to "silent": use a fault of its own, that other requests meet; saw 404',
    ],
    [
      'a lease next to a NAK',
      { faults: [{ server: 'dhcp', match: { message: 'request' }, nak: true, leaseSeconds: 5 }] },
      'groups[0].faults[0].leaseSeconds: does nothing next to "nak": use a fault of its own, that other requests meet; saw 5',
    ],
    [
      'an address in use next to a NAK',
      { faults: [{ server: 'dhcp', match: { message: 'request' }, nak: true, addressInUse: true }] },
      'groups[0].faults[0].addressInUse: does nothing next to "nak": use a fault',
    ],
    [
      'no boot file next to a NAK of a server of addresses',
      { faults: [{ server: 'dhcp', match: { message: 'request', port: 67 }, nak: true, withoutBootFile: true }] },
      'groups[0].faults[0].withoutBootFile: does nothing next to "nak": use a fault',
    ],
    [
      'a fault of a server that ends before it begins',
      { faults: [{ server: 'dhcp', nak: true, from: { ms: 5000 }, until: { ms: 1000 } }] },
      'groups[0].faults[0].until: expected later than from: the fault is never in force',
    ],
    [
      'a fault of a server that ends at an earlier stage than it begins',
      { faults: [{ server: 'http', status: 404, from: { stage: 'nbp' }, until: { stage: 'dhcp' } }] },
      'groups[0].faults[0].until: expected later than from: the fault is never in force',
    ],
    [
      'an OACK with nothing in it',
      { faults: [{ server: 'tftp', oack: {} }] },
      'groups[0].faults[0].oack: expected one of blksize, tsize, timeout, windowsize; saw {}',
    ],
    ...[{ otherTidAtBlock: 5 }, { skipBlock: 6 }, { rolloverToOne: true }].map((later): [string, object, string] => [
      `a block after the one in place of which an error comes: ${JSON.stringify(later)}`,
      { faults: [{ server: 'tftp', errorAtBlock: 5, ...later }] },
      `groups[0].faults[0].${Object.keys(later)[0]}: "errorAtBlock" ends the transfer before that`,
    ]),
    [
      'a file of another length and an error in place of all of it',
      { faults: [{ server: 'tftp', errorAtBlock: 1, lengthOff: 5 }] },
      'groups[0].faults[0].lengthOff: "errorAtBlock" ends the transfer before that',
    ],
    [
      'a length that is off by nothing',
      { faults: [{ server: 'tftp', lengthOff: 0 }] },
      'groups[0].faults[0].lengthOff: by 0 nothing would be wrong: expected another number; saw 0',
    ],
    [
      'a length that is said off by nothing',
      { faults: [{ server: 'http', contentLength: { offBy: 0 } }] },
      'groups[0].faults[0].contentLength.offBy: by 0 nothing would be wrong: expected another number; saw 0',
    ],
    [
      'a lease of more than 32 bits',
      { faults: [{ server: 'dhcp', leaseSeconds: 5e9 }] },
      'groups[0].faults[0].leaseSeconds: Too big: expected number to be <=4294967295, saw 5000000000',
    ],
    [
      'a name that fits no offer',
      { faults: [{ server: 'dhcp', secondServer: { file: 'x'.repeat(3000) } }] },
      'groups[0].faults[0].secondServer.file: Too big: expected string to have <=255 characters, saw',
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
