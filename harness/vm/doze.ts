import type { Guest } from './qemu.ts';

/** How long a dozing guest stands still, and how long it runs in between, ms. */
export interface Rhythm {
  standsMs: number;
  runsMs: number;
}

let dozing = 0;

/** How many guests doze: each will want a core again within seconds. */
export const dozingGuests = (): number => dozing;

/**
 * Has QEMU stand still most of the time (SIGSTOP, SIGCONT), until disposed of. Its clock goes on; a timer of the guest
 * that comes due meanwhile is served when it runs again, but of several ticks of one timer only the last.
 */
export function doze({ signal }: Pick<Guest, 'signal'>, { standsMs, runsMs }: Rhythm): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const stand = (): void => {
    timer = setTimeout(run, standsMs);
    signal('SIGSTOP');
  };
  const run = (): void => {
    timer = setTimeout(stand, runsMs);
    wake();
  };
  function wake(): void {
    signal('SIGCONT');
    // A stop freezes what is left of ppoll(2)'s timeout. QEMU reads this signal from a descriptor, and then looks at its
    // timers (util/main-loop.c, qemu_signal_init).
    signal('SIGALRM');
  }
  dozing++;
  stand();
  return {
    [Symbol.dispose]() {
      dozing--;
      clearTimeout(timer);
      wake();
    },
  };
}
