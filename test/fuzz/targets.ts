import type { Target } from './target.ts';
import { codecs } from './targets/codecs.ts';
import { framing } from './targets/framing.ts';
import { leaseTargets } from './targets/leases.ts';
import { records } from './targets/records.ts';
import { relays } from './targets/relays.ts';
import { servers } from './targets/servers.ts';
import { streams } from './targets/streams.ts';
import { tftps } from './targets/tftp.ts';
import { wires } from './targets/wire.ts';

export const targets: readonly Target[] = [
  ...codecs,
  ...relays,
  ...framing,
  ...streams,
  ...tftps,
  ...leaseTargets,
  ...wires,
  ...records,
  ...servers,
];
