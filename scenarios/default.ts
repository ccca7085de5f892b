import type { MatrixInput } from 'netboot-harness';
import { firstStages } from './first-stages.ts';
import { hardship } from './hardship.ts';
import { knownTrouble } from './known-trouble.ts';
import { lifecycle } from './lifecycle.ts';
import { machines } from './machines.ts';
import { otherNics } from './nics.ts';
import { optionRoms } from './option-roms.ts';
import { products } from './products.ts';
import { provisioners } from './provisioners.ts';
import { secondStages } from './second-stages.ts';
import { secureBoot } from './secure-boot.ts';
import { transports } from './transports.ts';

export default {
  name: 'default',
  description:
    'Every kind of network boot that the packaged artefacts can show, each cell with what is expected of it and why',
  groups: [
    ...firstStages,
    ...otherNics,
    ...optionRoms,
    ...secondStages,
    ...transports,
    ...secureBoot,
    ...knownTrouble,
    ...products,
    ...machines,
    ...hardship,
    ...provisioners,
    ...lifecycle,
  ],
} satisfies MatrixInput;
