import { type Group, type Hardship, ipxeStop, patience } from './hardship-row.ts';

type TftpFault = Extract<NonNullable<Group['faults']>[number], { server: 'tftp' }>;

const rollover = (title: string, fault: Omit<TftpFault, 'server'>): Hardship => ({
  ...{ title, faults: [{ server: 'tftp', ...fault }], deadlines: patience },
});

const kernel = { match: { file: 'linux' }, oack: { blksize: 120 } } as const;

/** A block has a number of 16 bits, and RFC 1350 does not say which one follows the last: 0 with most servers, 1 with some. */
export const kernelRollover: Record<string, Hardship> = {
  'tftp-rollover': rollover('a kernel in more than 65,535 blocks', kernel),
  'tftp-rollover-to-one': {
    ...rollover('a kernel in more than 65,535 blocks, of which 1 follows the last', { ...kernel, rolloverToOne: true }),
    stops: {
      'bios-linux-new': ipxeStop('payload-fetch', 'iPXE waits for a block 0 after block 65,535 until it gives up'),
    },
  },
};

/** Blocks that follow each other in 1 MB that GRUB fetches. */
export const grubRollover: Record<string, Hardship> = {
  'loader-rollover': rollover('1 MB for the loader in more than 65,535 blocks', {
    ...{ match: { file: 'fetched.efi' }, oack: { blksize: 12 } },
  }),
};
