import type { FaultOf } from '../../../model/server-faults.ts';
import { type Dhcp6Message, type Dhcp6Option, dhcp6Status, type IaNa } from '../../../wire/codecs/dhcp6.ts';
import type { ChosenFaults } from '../../faults.ts';
import type { Decision6 } from './lease-decision.ts';

type Answered = Extract<Decision6, { ias: unknown }>;
type Faults = ChosenFaults<'dhcp6'>;

/** The refusal that a fault puts in place of an answer. */
export function refusal6(
  status: NonNullable<FaultOf<'dhcp6'>['status']>,
  { messageType }: Pick<Dhcp6Message, 'messageType'>,
): Answered {
  const reply = messageType === 'solicit' ? 'advertise' : 'reply';
  return { reply, ias: [], status: dhcp6Status[status], configures: false, note: 'a fault of the scenario' };
}

const leasedFor = (ia: IaNa, seconds: number): IaNa => ({
  ...ia,
  t1Seconds: seconds * 0.5,
  t2Seconds: seconds * 0.8,
  addresses: ia.addresses.map(({ ip }) => ({ ip, preferredSeconds: seconds, validSeconds: seconds })),
});

/** A decision with what the request's faults do to it. */
export function spoilDecision(decision: Answered, faults: Faults): Answered {
  const isLease = decision.ias.some(({ addresses }) => addresses.length > 0);
  const seconds = isLease ? faults.take('leaseSeconds') : undefined;
  const bootless = decision.configures && faults.take('withoutBootFile') !== undefined;
  return {
    ...decision,
    ...(seconds === undefined ? {} : { ias: decision.ias.map((ia) => leasedFor(ia, seconds)) }),
    ...(bootless ? { configures: false } : {}),
  };
}

/** The options as often as they are sent, and in that order. */
export function laidOut(faults: Faults, options: readonly Dhcp6Option[]): Dhcp6Option[] {
  const repeated = faults.take('repeatOptions') ?? [];
  const all = options.flatMap((option) => (repeated.includes(option.code) ? [option, option] : [option]));
  return faults.take('reverseOptions') ? all.toReversed() : all;
}
