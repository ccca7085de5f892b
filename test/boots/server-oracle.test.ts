import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { protocolDifferences } from '../../harness/judge/server/protocol-facts.ts';
import { expandMatrix } from '../../harness/matrix/expand-matrix.ts';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';
import { nameOfProgram, programsOf } from '../../harness/model/provisioner.ts';
import { readEvents } from '../../harness/run/records/run-directory.ts';
import defaultMatrix from '../../scenarios/default.ts';
import { reasonOf } from '../../scenarios/server-differences.ts';
import { runCells } from '../run/rig.ts';

const folder = mkdtempSync(join(tmpdir(), 'oracle-'));
afterAll(() => rmSync(folder, { recursive: true }));

const own = 'bios-ipxe-rom.x86_64.pc.seabios@bookworm.e1000.bundled';
const others = ['dnsmasq-bios', 'kea-bios', 'isc-bios'];

it('a BIOS client gets as far by dnsmasq, Kea and ISC dhcpd as by the harness, and every difference has a reason', async () => {
  const { cells } = expandMatrix(parseMatrix(defaultMatrix, 'default'));
  const chosen = cells.filter(({ id, group }) => id === own || others.includes(group));
  expect(chosen).toHaveLength(4);
  const { cases } = await runCells(folder, chosen, { jobs: 2 });
  const boots = cases.map(({ id, scenario, verdict, run }) => ({
    id,
    programs: scenario.provisioner === undefined ? [] : programsOf(scenario.provisioner).map(nameOfProgram),
    outcome: `${verdict.status} ${verdict.lastStage}`,
    events: readEvents(join(folder, run.directory as string)),
  }));
  const mine = boots.find(({ id }) => id === own) as (typeof boots)[number];
  for (const theirs of boots) {
    expect(theirs.outcome).toBe('passed config');
    const unexplained = protocolDifferences(mine.events, theirs.events).filter(
      (difference) => reasonOf(theirs.programs, difference) === undefined,
    );
    expect({ [theirs.id]: unexplained }).toEqual({ [theirs.id]: [] });
  }
});
