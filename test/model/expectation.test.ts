import { describe, expect, it } from 'vitest';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';
import { HarnessError } from '../../harness/model/errors.ts';
import { expectationSchema, isExpected, isVague } from '../../harness/model/expectation.ts';

const stop = (failure: unknown) => ({ stopsAt: 'config', failure, reason: 'r' });
const failureOf = (failure: unknown) => {
  const parsed = expectationSchema.parse(stop(failure));
  return 'failure' in parsed ? parsed.failure : [];
};

const complaintOf = (failure: unknown): string => {
  const group = { name: 'g', arch: 'aarch64', nic: 'e1000', rom: 'none', expect: stop(failure) };
  try {
    parseMatrix({ name: 'm', groups: [group] }, 'mine.json');
  } catch (error) {
    expect(error).toBeInstanceOf(HarnessError);
    return (error as HarnessError).message;
  }
  throw new Error('it was accepted');
};

describe('an expected failure', () => {
  it.each([
    ['a rule', 'uefi-shell', [{ rule: 'uefi-shell' }]],
    ['alternatives', ['uefi-shell', 'bds-nothing'], [{ rule: 'uefi-shell' }, { rule: 'bds-nothing' }]],
    ['words', { rule: 'ipxe-error', says: '4c126092' }, [{ rule: 'ipxe-error', says: '4c126092' }]],
    ['a RegExp', { rule: 'ipxe-error', says: /4c126092/ }, [{ rule: 'ipxe-error', says: '4c126092' }]],
    ['its flags', [{ rule: 'pxe-error', says: /^pxe-e18/i }], [{ rule: 'pxe-error', says: '(?i)^pxe-e18' }]],
  ])('may be given as %s', (_, given, normal) => {
    expect(failureOf(given)).toEqual(normal);
  });

  it('is the same once more after it went through a record', () => {
    const failure = failureOf([{ rule: 'ipxe-error', says: /4c12\d+\b/i }, 'uefi-shell']);
    expect(failureOf(JSON.parse(JSON.stringify(failure)))).toEqual(failure);
  });

  it.each([
    ['a misspelt rule', 'uefi-shel', /did you mean "uefi-shell"\?/],
    ['a misspelt rule with words', { rule: 'ipxe-eror', says: 'x' }, /failure\.rule: .*did you mean "ipxe-error"\?/],
    ['one of several', ['uefi-shell', 'bds-nothin'], /failure\[1\].*did you mean "bds-nothing"\?/],
    ['a rule that speaks of QEMU alone', 'guest-gone', /expected one of /],
    ['words that are no pattern', { rule: 'ipxe-error', says: '(' }, /failure\.says: expected a regular expression/],
    ['what a look behind asks for', { rule: 'ipxe-error', says: '(?<=a)b' }, /failure\.says: expected a regular/],
    ['no words', { rule: 'ipxe-error', says: '' }, /failure\.says: expected a pattern, saw an empty one/],
    ['too many', { rule: 'ipxe-error', says: 'x'.repeat(201) }, /says: expected a pattern of at most 200 characters/],
    ['an empty list', [], /failure: expected a non-empty list/],
  ])('is refused with %s', (_, given, complaint) => {
    expect(complaintOf(given)).toMatch(complaint);
  });

  it.each([
    ['the rule alone', { rule: 'pxe-error' }, true],
    ['words from the middle', { rule: 'pxe-error', says: 'E18: Server' }, true],
    ['a pattern', { rule: 'pxe-error', says: '^PXE-E1[68]: .*timeout' }, true],
    ['other words', { rule: 'pxe-error', says: 'PXE-E16' }, false],
    ['another rule', { rule: 'uefi-shell' }, false],
  ] as const)('is met by %s', (_, expected, met) => {
    const seen = { rule: 'pxe-error', text: 'PXE-E18: Server response timeout.' };
    expect(isExpected(expected, seen)).toBe(met);
  });

  it.each(['(a+)+$', '(a|a)*(a|a)*$', '(.*)(.*)(.*)(.*)(.*)x', '(a?){100}(a?){100}a{100}$'])(
    'costs little whatever a record asks for: %s',
    (says) => {
      const cpu = process.cpuUsage();
      isExpected({ rule: 'pxe-error', says }, { rule: 'pxe-error', text: `${'a'.repeat(100_000)}!` });
      // A backtracking engine takes longer than the universe is old for some of these.
      expect(process.cpuUsage(cpu).user).toBeLessThan(5_000_000);
    },
  );

  it('is vague where a whole family would do', () => {
    expect(isVague({ rule: 'pxe-error' })).toBe(true);
    expect(isVague({ rule: 'pxe-error', says: 'PXE-E18' })).toBe(false);
    expect(isVague({ rule: 'uefi-shell' })).toBe(false);
  });
});

describe('a day until which a stop is accepted', () => {
  const parse = (fields: object) => expectationSchema.safeParse({ ...stop('uefi-shell'), ...fields });

  it('needs a reference', () => {
    expect(parse({ until: '2027-03-31', reference: 'https://example.org/1' }).success).toBe(true);
    expect(parse({ until: '2027-03-31' }).success).toBe(false);
    const expected = { ...stop('uefi-shell'), until: '2027-03-31' };
    const group = { name: 'g', arch: 'aarch64', nic: 'e1000', rom: 'none', expect: expected };
    expect(() => parseMatrix({ name: 'm', groups: [group] }, 'mine.json')).toThrow(
      /expect.until: .*expected a reference/,
    );
  });

  it.each(['2027-02-30', '31.3.2027', 'tomorrow', '2027-3-1', ''])('is a day of the calendar, unlike %j', (until) => {
    expect(parse({ until, reference: 'r' }).success).toBe(false);
  });
});
