/** The id of a cell's nth repeat; the first keeps the cell's own. Never parsed: results carry the round as data. */
export const repeatId = (cell: string, round: number): string => (round === 1 ? cell : `${cell}~${round}`);
