// What a plan says of the boot to be broken: how far it is to get, and where a break keeps it from getting there.

/** Stages that a guest passes by frames, and the fetch that is each, if any. */
const fetches = {
  dhcp: undefined,
  'nbp-fetch': 'nbp',
  'nbp-dhcp': undefined,
  config: 'config',
  'payload-fetch': 'payload',
};

/** Failures that clients tell of the network; firmware without a driver fails without one. */
const tellsOfNetwork = (rule) => /^(pxe|http|tls|tftp|ipxe|offer|no-address)/.test(rule);

const rulesOf = ({ failure }) => [failure].flat().map((one) => (typeof one === 'string' ? one : one.rule));

/** The served names that a fetch asks for, in that order. */
function filesOf(plan, fetch) {
  const delivered = (list) => plan.deliveries[list].map(({ name }) => name);
  if (fetch !== 'config') return fetch ? delivered(fetch) : [];
  // A loader loads what belongs to it before it looks for its configuration, as shim does GRUB.
  const others = new Set(['nbp', 'config', 'payload'].flatMap(delivered));
  return [...Object.keys(plan.serve).filter((name) => !others.has(name)), ...delivered('config')];
}

/** Each goes by the ones after it where a boot takes several. */
const transports = ['tftp', 'http', 'nfs', 'https'];

/** The first fetch by the transport that the boot was chosen for. */
const worthiest = (uses) =>
  [...uses].sort((a, b) => transports.indexOf(b.transport) - transports.indexOf(a.transport)).slice(0, 1);

/**
 * `uses`: the stages at which a break of the network matters, each with the stage after which it begins, the names it asks
 * for, and how: the last one before an expected stop; the first of the boot's own transport where it is to succeed; none
 * where it is to end without any network. `first`, `last`: the first stage, and the last before an expected stop; in a
 * boot that is to succeed, which takes longest, a break of the machine need not wait for either.
 */
export function bootOf(plan) {
  const { expect } = plan.scenario;
  const boots = 'reaches' in expect;
  const stop = boots ? plan.stagePath.at(-1) : expect.stopsAt;
  const path = plan.stagePath.slice(0, plan.stagePath.indexOf(stop) + 1);
  const all = path
    .filter((stage) => stage in fetches)
    .map((stage) => ({
      stage,
      after: path[path.indexOf(stage) - 1],
      files: filesOf(plan, fetches[stage]),
      transport: plan.transports[fetches[stage]],
    }));
  const isSilent = !boots && all.length === 1 && all[0].stage === stop && !rulesOf(expect).some(tellsOfNetwork);
  return {
    plan,
    boots,
    expectsSilence: !boots && rulesOf(expect).includes('deadline'),
    first: boots ? undefined : path.slice(0, -1).at(0),
    last: boots ? undefined : path.at(-2),
    usesRom: (boots ? path : path.slice(0, -1)).includes('oprom'),
    uses: isSilent ? [] : boots ? worthiest(all) : all.slice(-1),
  };
}
