import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { protocolDifferences } from '../../harness/judge/server/protocol-facts.ts';
import type { HarnessEvent } from '../../harness/model/events.ts';
import { reasonOf, serverDifferences } from '../../scenarios/server-differences.ts';

const read = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../fixtures/server-oracle/${name}`, import.meta.url)), 'utf8');
const pairs = JSON.parse(read('pairs.json')) as { own: string; theirs: string; programs: string[] }[];
const eventsOf = (id: string): HarnessEvent[] =>
  read(`${id}.jsonl`)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as HarnessEvent);

const all = pairs.map((pair) => ({
  ...pair,
  differences: protocolDifferences(eventsOf(pair.own), eventsOf(pair.theirs)),
}));

describe('recorded boots by servers of others, next to the harness’s own', () => {
  it.each(all)('$theirs: every difference has a reason', ({ programs, differences }) => {
    expect(differences.filter((difference) => reasonOf(programs, difference) === undefined)).toEqual([]);
  });

  it('every reason is that of a difference', () => {
    const seen = all.flatMap(({ programs, differences }) =>
      differences.flatMap(({ only, text }) => programs.map((program) => `${program} ${only} ${text}`)),
    );
    const stale = serverDifferences.flatMap(({ servers, only, facts }) =>
      facts.filter((text) => !servers.some((server) => seen.includes(`${server} ${only} ${text}`))),
    );
    expect(stale).toEqual([]);
  });

  it('clients do the same by all of them, but for EDK II and proxyDHCP', () => {
    const done = all.flatMap(({ differences }) => differences.filter(({ by }) => by === 'client'));
    expect([...new Set(done.map(({ client, only, text }) => `${only}: ${client}, ${text}`))]).toEqual([
      'theirs: x64 UEFI (architecture 7), request to port 4011',
    ]);
  });

  it('a difference that is new has no reason', () => {
    const { own, theirs, programs } = pairs[0] as (typeof pairs)[number];
    const changed = eventsOf(theirs).map((event) =>
      event.type === 'tftp-oack' ? { ...event, options: { ...event.options, blksize: '512' } } : event,
    );
    const unexplained = protocolDifferences(eventsOf(own), changed).filter(
      (difference) => reasonOf(programs, difference) === undefined,
    );
    expect(unexplained.map(({ only, text }) => `${only} ${text}`)).toEqual([
      'own blksize 1432 granted',
      'theirs blksize 512 granted',
    ]);
  });
});
