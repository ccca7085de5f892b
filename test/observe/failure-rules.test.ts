import { expect, it } from 'vitest';
import { failureRules } from '../../harness/model/failure-rules.ts';
import { machineRules } from '../../harness/observe/machine-rules.ts';
import { failureRows } from '../../harness/observe/serial-failures.ts';
import { wireFailureRules } from '../../harness/observe/wire-failures.ts';

it('has a row for every failure that an expectation can name, and names every row', () => {
  const rows = [
    ...failureRows.map(({ rule }) => rule),
    ...[...machineRules, ...wireFailureRules].map(({ name }) => name),
  ];
  expect([...rows].sort()).toEqual([...failureRules].sort());
});
