import type { Configuration } from './axes.ts';
import type { Scenario } from './scenario.ts';
import type { CaseResult } from './verdict.ts';

export const standInText = 'iPXE stand-in';

/** A configuration as shown to users: iPXE standing in for a vendor's ROM is marked as such. */
export const configurationText = (configuration: Configuration | null | undefined, standIn: boolean): string =>
  `${configuration ?? 'none'}${standIn ? ` (${standInText})` : ''}`;

export const declaredText = ({ configuration, standIn }: Scenario): string =>
  configurationText(configuration, standIn === true);

/** As seen on the wire or, failing that, as declared. */
export const isStandIn = ({ scenario, verdict }: Pick<CaseResult, 'scenario' | 'verdict'>): boolean =>
  (verdict.observedConfiguration === null ? scenario.standIn : verdict.standIn) === true;
