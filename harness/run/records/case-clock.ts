/** Time as the guest of a case lives it, in ms since its start; it never goes back. */
export interface CaseClock {
  now(): number;
  /** Stops the clock. */
  hold(): void;
  /** Stops the clock at this time, or where it is if that is later. */
  holdAt(tMs: number): void;
  /** Lets the clock run again from this time. */
  goOnFrom(tMs: number): void;
}

export function createCaseClock(): CaseClock {
  let startedAt = performance.now();
  let heldAt: number | undefined;
  const now = (): number => heldAt ?? Math.round((performance.now() - startedAt) * 1000) / 1000;
  const holdAt = (tMs: number): void => {
    heldAt = Math.max(now(), tMs);
  };
  return {
    now,
    hold: () => holdAt(0),
    holdAt,
    goOnFrom(tMs) {
      holdAt(tMs);
      startedAt = performance.now() - now();
      heldAt = undefined;
    },
  };
}
