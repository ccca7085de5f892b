import type { MatrixInput } from 'netboot-harness';

export type Group = MatrixInput['groups'][number];
/** What goes wrong, and what becomes of whom. */
export type Hardship = Pick<Group, 'faults' | 'tags' | 'deadlines'> & {
  title: string;
  first?: true;
  /** Only these chains; all by default. */
  chains?: readonly string[];
  /** Chains that it stops. */
  stops?: Record<string, Group['expect']>;
};

type Stop = Extract<NonNullable<Group['expect']>, { stopsAt: unknown }>;

/** Stops of EDK II's PXE, by its message. */
export const pxeStop = (says: string, reason: string, more: Partial<Stop> = {}): Stop => ({
  ...{ stopsAt: 'nbp-fetch', failure: { rule: 'pxe-error', says }, reason, ...more },
});

/** iPXE tries its network device and has no other. */
export const ipxeStop = (stopsAt: Stop['stopsAt'], reason: string): Stop => ({
  ...{ stopsAt, failure: { rule: 'ipxe-no-device', says: 'No more network devices' }, reason },
});

/** iPXE of 2019, iPXE 2.0, and EDK II of 2026 with iPXE 2.0 after it. */
export const clients = ['bios-pxe', 'bios-pxe-new', 'arm-new'];

/** The frames of TFTP. */
export const transfer = { protocol: 'tftp' } as const;

/** A lost block costs a second and more, and there are hundreds. */
export const patience = { totalMs: 900_000, stageMs: { 'nbp-fetch': 600_000, config: 300_000 } };
