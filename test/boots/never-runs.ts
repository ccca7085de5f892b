export const day = 86_400_000;

/** For a cell of which QEMU never lets the guest run. */
export const neverRuns = (deadlineMs: number) => ({
  qemuArgs: ['-S'],
  deadlines: { stageMs: { firmware: deadlineMs }, totalMs: day },
  expect: {
    stopsAt: 'firmware',
    failure: { rule: 'deadline', says: '^no firmware stage within' },
    reason: 'QEMU does not let it run',
  },
});
