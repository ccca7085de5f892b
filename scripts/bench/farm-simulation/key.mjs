/** All messages are signed and checked, as on any farm. */
export const farmKey = Buffer.alloc(32, 'simulation');
