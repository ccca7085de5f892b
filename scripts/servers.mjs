#!/usr/bin/env node
// Compares what the same clients meet from servers of others and from the harness's own.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsed } from './command.mjs';
import { joinServers } from './servers/join.mjs';
import { inCheckout, runScript, SetUpError } from './setup/checkout.mjs';
import { compile } from './setup/compile.mjs';

const usage = `Usage: npm run -s servers -- RUN_DIR [--record]

Prints where the same clients meet something else from dnsmasq, Kea, ISC dhcpd, tftpd-hpa and atftpd than from the harness's
own DHCP and TFTP, and why, in a run of the default matrix.

  RUN_DIR   the run
  --record  store the events of its frames, for the test that does the same
  --help

Exit code: 0 if every difference is explained; 1 otherwise.`;

const options = { run: { type: 'string', argument: true }, record: { type: 'boolean' } };

const print = (line) => process.stdout.write(`${line}\n`);
const outcomeOf = ({ verdict: { status, lastStage } }) => `${status}, ${lastStage}`;

function record(pairs, eventsOf) {
  const folder = inCheckout('fixtures/server-oracle');
  mkdirSync(folder, { recursive: true });
  const isKept = ({ source, type }) => source === 'wire' && /^(dhcp|tftp-|http-)/.test(type);
  for (const one of pairs.flatMap(({ own, theirs }) => [own, theirs])) {
    const lines = eventsOf(one)
      .filter(isKept)
      .map((event) => JSON.stringify(event));
    writeFileSync(join(folder, `${one.id}.jsonl`), `${lines.join('\n')}\n`);
  }
  const listed = pairs.map(({ own, theirs, programs }) => ({ own: own.id, theirs: theirs.id, programs }));
  writeFileSync(join(folder, 'pairs.json'), `${JSON.stringify(listed, null, 2)}\n`);
}

await runScript(async () => {
  const given = parsed(process.argv.slice(2), options, usage);
  if (given === undefined) return;
  const runDir = given.run;
  if (runDir === undefined) throw new SetUpError(usage, 2);
  compile();
  const { protocolDifferences } = await import(inCheckout('.build/harness/judge/server/protocol-facts.js'));
  const { readResults } = await import(inCheckout('.build/harness/run/records/read-results.js'));
  const { readEvents } = await import(inCheckout('.build/harness/run/records/run-directory.js'));
  const { reasonOf } = await import(inCheckout('.build/scenarios/server-differences.js'));
  const { pairs, alone } = joinServers(readResults(runDir));
  const eventsOf = ({ run }) => readEvents(join(runDir, run.directory));
  if (given.record) record(pairs, eventsOf);

  let unexplained = 0;
  for (const { own, theirs, programs } of pairs) {
    const differences = protocolDifferences(eventsOf(own), eventsOf(theirs));
    print(`${theirs.scenario.group} (${programs.join(', ')}) and ${own.id}`);
    if (outcomeOf(own) !== outcomeOf(theirs)) {
      unexplained += 1;
      print(`  UNEXPLAINED: ${outcomeOf(own)} by the own servers, ${outcomeOf(theirs)} by theirs`);
    }
    for (const { client, by, only, text } of differences) {
      const reason = reasonOf(programs, { only, text });
      if (reason === undefined) unexplained += 1;
      print(`  ${only.padEnd(6)} ${client}, ${by}: ${text}\n         ${reason ?? 'UNEXPLAINED'}`);
    }
  }
  if (alone.length > 0) print(`without a counterpart: ${alone.map(({ scenario }) => scenario.group).join(', ')}`);
  print(`${pairs.length} pairs of cells, ${unexplained} unexplained differences`);
  if (pairs.length === 0 || unexplained > 0) process.exitCode = 1;
});
