/** The size of a serial console that SeaBIOS, EDK II and kernels assume, and at which consoles are rendered. */
export const screenSize = { cols: 80, rows: 25 } as const;
