/** The id of a cell's nth repeat; its first keeps the cell's own. */
export const repeatId = (cell: string, round: number): string => (round === 1 ? cell : `${cell}~${round}`);

/** The id of the cell that a case runs. */
export const cellId = (id: string): string => id.replace(/~\d+$/, '');
