// What a plan says about the boot to break: how far it should get, and where a break prevents that.

/** Stages that a guest passes by network traffic, and the fetch that each is, if any. */
const fetches = {
  dhcp: undefined,
  'nbp-fetch': 'nbp',
  'nbp-dhcp': undefined,
  config: 'config',
  'payload-fetch': 'payload',
};

/** Failures of network clients; firmware without a driver fails without a network. */
const isOfNetwork = (rule) => /^(pxe|http|tls|tftp|ipxe|offer|no-address)/.test(rule);

const rulesOf = ({ failure }) => [failure].flat().map((one) => (typeof one === 'string' ? one : one.rule));

/** The served names that a fetch requests, in order. */
function filesOf(plan, fetch) {
  const delivered = (list) => plan.deliveries[list].map(({ name }) => name);
  if (fetch !== 'config') return fetch ? delivered(fetch) : [];
  // A loader loads its companions before it looks for its configuration, as shim does GRUB.
  const others = new Set(['nbp', 'config', 'payload'].flatMap(delivered));
  return [...Object.keys(plan.serve).filter((name) => !others.has(name)), ...delivered('config')];
}

/** The later one counts where a boot uses several. */
const transports = ['tftp', 'http', 'nfs', 'https'];

/** The first fetch by the transport that the boot was chosen for. */
const worthiest = (uses) =>
  [...uses].sort((a, b) => transports.indexOf(b.transport) - transports.indexOf(a.transport)).slice(0, 1);

/**
 * `uses`: the stages at which a network break matters, each with the stage after which it begins, the names it requests
 * and its transport: the last one before an expected stop; the first by the boot's own transport if it should succeed;
 * none if it should end without any network. `first`, `last`: the first stage, and the last before an expected stop; in
 * a boot that should succeed, which takes longest, a break of the machine need not wait for either.
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
  const isSilent = !boots && all.length === 1 && all[0].stage === stop && !rulesOf(expect).some(isOfNetwork);
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
