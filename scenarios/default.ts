import { defineMatrix } from 'netboot-harness';
import { firstStages } from './first-stages.ts';

export default defineMatrix({
  name: 'default',
  description:
    'Every way of network boot that the packaged artefacts can show, each cell with what is expected of it and why',
  groups: [...firstStages],
});
