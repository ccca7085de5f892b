import type { BootRule } from '../model/boot-rule.ts';
import type { Transports } from '../model/transports.ts';
import { urlOf } from './url.ts';

export interface PolicyFacts {
  /** Served name of the NBP; undefined when the ROM's own iPXE goes straight to its script. */
  nbp: string | undefined;
  /** Served name of the second stage's script; undefined where the loader finds its configuration itself. */
  script: string | undefined;
  transports: Transports;
  servers: Record<'nbp' | 'config', string>;
  ipVersion: 4 | 6;
}

/** The boot file name as offered: DHCPv4 and TFTP take the bare name, everything else a URL. */
function fileOf(name: string, fetch: 'nbp' | 'config', { transports, servers, ipVersion }: PolicyFacts): string {
  const transport = transports[fetch];
  const isBare = transport === 'tftp' && ipVersion === 4;
  return isBare ? name : urlOf(transport, servers[fetch], name);
}

const rule = (name: string, when: BootRule['when'], file: string): BootRule => ({
  name,
  when,
  file,
  answer: true,
  options: [],
});

/**
 * The default policy: first the NBP, then the script once the NBP was delivered. A bundled ROM and a chain-loaded iPXE
 * identify themselves alike, so only what was already served distinguishes them.
 */
export function planBootPolicy(facts: PolicyFacts): BootRule[] {
  const { nbp, script } = facts;
  const rules: BootRule[] = [];
  if (nbp !== undefined && script !== undefined) {
    rules.push(rule('second stage → script', { userClass: 'iPXE', served: [nbp] }, fileOf(script, 'config', facts)));
  }
  if (nbp !== undefined) rules.push(rule('first stage → NBP', {}, fileOf(nbp, 'nbp', facts)));
  else if (script !== undefined) {
    rules.push(rule('option ROM → script', { userClass: 'iPXE' }, fileOf(script, 'config', facts)));
    rules.push({ name: 'no NBP for others', when: {}, answer: true, options: [] });
  }
  return rules;
}
