// What every campaign's command line does alike.
import { parseArgs } from 'node:util';
import { SetUpError, say } from '../setup/checkout.mjs';

const refused = (problem, usage) => new SetUpError(`${problem}\n\n${usage}`, 2);

function checked(name, value, { many, oneOf, count }, usage) {
  if (count) {
    const number = Number(value);
    if (!Number.isInteger(number) || number < 1) throw refused(`--${name} takes a whole number from 1`, usage);
    return number;
  }
  if (!many) return value;
  const values = value.split(',').filter((part) => part !== '');
  const unknown = oneOf ? values.filter((one) => !oneOf.includes(one)) : [];
  if (unknown.length > 0)
    throw refused(`--${name}: expected some of ${oneOf.join(', ')}; saw ${unknown.join(', ')}`, usage);
  return values;
}

/**
 * Options as `parseArgs` takes them, of which some are `many` (a list with commas, perhaps each `oneOf` some words) or a
 * `count`. Undefined where --help was asked for and has been given.
 */
export function parsed(argv, options, usage) {
  let values;
  try {
    values = parseArgs({ args: argv, options: { ...options, help: { type: 'boolean' } } }).values;
  } catch (error) {
    throw refused(error.message, usage);
  }
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return undefined;
  }
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, checked(name, value, options[name], usage)]),
  );
}

/** Does work that a signal ends in good order; a second one leaves at once, and guests end with us. */
export async function interruptible(work) {
  const interruption = new AbortController();
  const onSignal = (signal) => {
    if (interruption.signal.aborted) process.exit(130);
    say(`\n${signal}: ending guests and completing records; once more leaves at once`);
    interruption.abort(new Error(signal));
  };
  const signals = ['SIGINT', 'SIGTERM'];
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await work(interruption.signal);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
    if (interruption.signal.aborted) process.exitCode = 130;
  }
}

/** The time, as a name. */
export const stamp = () => new Date().toISOString().slice(0, 19).replaceAll(':', '-');
