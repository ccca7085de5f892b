// Cells of a default run that are the same but for who serves.

/** What names a cell, claims something about it, or says who serves. */
const aside = [
  'id',
  'group',
  'title',
  'expect',
  'configuration',
  'provisioner',
  'strictServer',
  'deadlines',
  'proxyDhcp',
];

/** A relay leads to a server somewhere, of which a matrix names no program. */
const programsOf = ({ provisioner }) => [provisioner ?? []].flat().filter(({ command }) => command !== undefined);
const isProxy = (scenario) =>
  scenario.proxyDhcp === true || programsOf(scenario).some(({ serves = [] }) => serves.includes('proxydhcp'));

/** A cell without who serves; next to a proxyDHCP server is another place. */
function identityOf(scenario) {
  const rest = Object.entries(scenario).filter(([key]) => !aside.includes(key));
  return JSON.stringify([isProxy(scenario), ...rest.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

const reachesEnd = ({ expect }) => 'reaches' in expect;

/**
 * Cells that are to boot from servers of others, each with the one that boots from the harness's own; and those that have
 * no such counterpart, or were not run.
 */
export function joinServers({ cases }) {
  const ran = cases.filter(({ run, round, scenario }) => run.directory && round === 1 && reachesEnd(scenario));
  const own = new Map();
  for (const one of ran.filter(({ scenario }) => scenario.provisioner === undefined)) {
    const identity = identityOf(one.scenario);
    if (!own.has(identity)) own.set(identity, one);
  }
  const others = ran.filter(({ scenario }) => programsOf(scenario).length > 0);
  const pairs = others.map((theirs) => ({
    own: own.get(identityOf(theirs.scenario)),
    theirs,
    programs: programsOf(theirs.scenario).map(({ command }) => command[0].split('/').at(-1)),
  }));
  return {
    pairs: pairs.filter((pair) => pair.own !== undefined),
    alone: pairs.filter((pair) => pair.own === undefined).map(({ theirs }) => theirs),
  };
}
