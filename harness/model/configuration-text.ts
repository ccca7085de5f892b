import type { Configuration } from './axes.ts';
import type { Scenario } from './scenario.ts';
import type { CaseResult } from './verdict.ts';

export const standInText = 'iPXE stand-in';

/** A configuration as it is shown: iPXE in a vendor's place is told from the vendor's ROM. */
export const configurationText = (configuration: Configuration | null | undefined, standIn: boolean): string =>
  `${configuration ?? 'none'}${standIn ? ` (${standInText})` : ''}`;

export const declaredText = ({ configuration, standIn }: Scenario): string =>
  configurationText(configuration, standIn === true);

/** What the wire showed or, where it showed nothing, what is declared. */
export const isStandIn = ({ scenario, verdict }: Pick<CaseResult, 'scenario' | 'verdict'>): boolean =>
  (verdict.observedConfiguration === null ? scenario.standIn : verdict.standIn) === true;
