import { describe, expect, it } from 'vitest';
import { checkShape } from '../../harness/model/check-shape.ts';
import { eventSchema } from '../../harness/model/events.ts';

const arp = {
  tMs: 1,
  source: 'wire',
  type: 'arp',
  from: 'guest',
  op: 'request',
  senderIp: '10.0.2.15',
  targetIp: '10.0.2.2',
};

describe('something that is not an event', () => {
  it.each([
    [{ ...arp, source: 'wirre' }, /^source: expected one of run, vm, .*, saw "wirre"; did you mean "wire"\?$/],
    [{ ...arp, type: 'apr' }, /^type: expected one of dhcp, dhcp6, .*, saw "apr"/],
    [{ tMs: 1 }, /^source: expected one of run, .*, saw nothing$/],
    [{ ...arp, op: 'ask' }, /^op: expected one of request, reply, saw "ask"$/],
    [{ ...arp, senderIP: 'x' }, /^unknown key "senderIP"; did you mean "senderIp"\?$/],
    [[arp], /^expected an object, saw \[/],
  ])('%j is explained as the event that it is nearest to', (value, message) => {
    const checked = checkShape(eventSchema, value);
    expect('problems' in checked && checked.problems).toEqual([expect.stringMatching(message)]);
  });

  it('leaves a right one as it is', () => {
    expect(checkShape(eventSchema, arp)).toEqual({ value: arp });
  });
});
