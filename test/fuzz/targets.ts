import type { Target } from './target.ts';
import { codecs } from './targets/codecs.ts';
import { framing } from './targets/framing.ts';
import { httpReader } from './targets/http-reader.ts';
import { leaseLife } from './targets/lease-life.ts';
import { leases } from './targets/leases.ts';
import { leases6 } from './targets/leases6.ts';
import { records } from './targets/records.ts';
import { relays } from './targets/relays.ts';
import { servers } from './targets/servers.ts';
import { streams } from './targets/streams.ts';
import { tftps } from './targets/tftp.ts';
import { receiver } from './targets/tftp-receiver.ts';
import { wires } from './targets/wire.ts';

export const targets: readonly Target[] = [
  ...codecs,
  ...relays,
  ...framing,
  ...streams,
  httpReader,
  ...tftps,
  receiver,
  leases,
  leaseLife,
  leases6,
  ...wires,
  ...records,
  ...servers,
];
