// The command line common to campaigns and other scripts.
import { parseArgs } from 'node:util';
import { SetUpError, say } from './setup/checkout.mjs';

const refused = (problem, usage) => new SetUpError(`${problem}\n\n${usage}`, 2);

function checked(name, value, { many, oneOf, count }, usage) {
  if (count) {
    const number = Number(value);
    if (!Number.isInteger(number) || number < 1)
      throw refused(`--${name}: expected a whole number of at least 1`, usage);
    return number;
  }
  if (!many) return value;
  const values = value.split(',').filter((part) => part !== '');
  const unknown = oneOf ? values.filter((one) => !oneOf.includes(one)) : [];
  if (unknown.length > 0)
    throw refused(`--${name}: expected some of ${oneOf.join(', ')}; got ${unknown.join(', ')}`, usage);
  return values;
}

/** Options by name; without one, the command line may have one word, for the option that is the `argument`. */
function valuesIn(argv, options) {
  const argument = Object.keys(options).find((name) => options[name].argument);
  const known = { ...options, help: { type: 'boolean', short: 'h' } };
  const allowPositionals = argument !== undefined;
  const { values, positionals } = parseArgs({ args: argv, options: known, allowPositionals });
  if (positionals.length > 1) throw new Error(`unexpected ${positionals.slice(1).join(' ')}`);
  return positionals.length === 0 ? values : { ...values, [argument]: positionals[0] };
}

/**
 * Options as `parseArgs` takes them; some are `many` (comma-separated, perhaps each `oneOf` a list) or a `count`, and one
 * may be the `argument`, given without its name. Undefined after printing --help.
 */
export function parsed(argv, options, usage) {
  let values;
  try {
    values = valuesIn(argv, options);
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

/** Runs `work`, which a signal ends cleanly; a second signal exits at once, and guests end with us. */
export async function interruptible(work) {
  const interruption = new AbortController();
  const onSignal = (signal) => {
    if (interruption.signal.aborted) process.exit(130);
    say(`\n${signal}: stopping guests and completing records; again to exit at once`);
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

/** The current time as part of a file name. */
export const stamp = () => new Date().toISOString().slice(0, 19).replaceAll(':', '-');
