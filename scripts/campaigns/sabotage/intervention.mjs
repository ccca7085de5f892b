// One break as the harness takes it: a plan, faults on the wire, and actions on the running guest.
import { createObserver } from '../../../.build/harness/observe/observer.js';

/** Of IPv4, whose header has an identification of each packet. */
const ipHeaderEnd = 34;

/** The intervention that applies the break `wrong` to a plan's boot; `acted` is called once, when the boot meets it. */
export function interventionOf(wrong, plan, acted, { damaged, deadlines }) {
  const altered = { ...(wrong.alter?.(plan, damaged) ?? plan), deadlines: deadlines(plan) };
  const observer = createObserver(altered);
  let running;
  let begun = false;
  const passed = new Set();
  let hasMet = false;

  const met = () => {
    if (hasMet) return;
    hasMet = true;
    acted(wrong.label);
  };
  const isShownLater = wrong.shows ?? wrong.meets;

  async function begin() {
    if (begun || running === undefined) return;
    begun = true;
    // A guest that has ended can no longer meet the break.
    const made = await Promise.resolve(wrong.act?.(running)).then(
      () => true,
      () => false,
    );
    if (made && !isShownLater) met();
  }

  return {
    plan: altered,
    begin(given) {
      running = given;
      if (wrong.after === undefined || hasReached()) void begin();
    },
    onEvent(event) {
      observer.observe(event);
      if (hasReached()) void begin();
      if ((begun || wrong.alter) && wrong.shows?.(event)) met();
    },
    faults(frame, direction, deliver) {
      if (begun) {
        const isLost = wrong.loses?.(passed.size) ?? false;
        if ((wrong.loses ? isLost : direction === 'from-guest') && wrong.meets?.(frame)) met();
        if (isLost) return;
        // What is sent again is no progress: a guest that hears nothing more must not meet the break by waiting.
        if (wrong.loses) passed.add(frame.toString('latin1', ipHeaderEnd));
      }
      deliver(frame);
    },
  };

  function hasReached() {
    return observer.evidence.some(({ stage }) => stage === wrong.after);
  }
}
