/** The size of a serial console that SeaBIOS, EDK II and kernels assume, and by which consoles are rendered. */
export const screenSize = { cols: 80, rows: 25 } as const;

const esc = '\u001b';

/** The place before a control sequence that wipes the screen (ECMA-48 ED, RIS): what stood there must be read first. */
export const screenWipe = new RegExp(`(?=${esc}\\[[0-3]?J|${esc}c)`);
