import type { BootCondition, BootRule, DhcpMessageType, RawOption } from '../../model/boot-rule.ts';

/** The facts about a DHCPv4 or DHCPv6 client that a rule can match. */
export interface BootClient {
  readonly clientArch?: number | undefined;
  readonly vendorClass?: string | undefined;
  readonly userClass?: string | undefined;
  readonly port?: number | undefined;
}

/** Whether all of a rule's or a fault's conditions hold. */
export function holds(when: BootCondition, client: BootClient, served: ReadonlySet<string>): boolean {
  const { clientArch, vendorClass, userClass, port } = client;
  if (when.clientArch && (clientArch === undefined || !when.clientArch.includes(clientArch))) return false;
  if (when.vendorClass !== undefined && !vendorClass?.startsWith(when.vendorClass)) return false;
  if (when.userClass !== undefined && when.userClass !== userClass) return false;
  if (when.port !== undefined && when.port !== port) return false;
  if (when.served?.some((name) => !served.has(name))) return false;
  return !when.notServed?.some((name) => served.has(name));
}

/** The first rule whose conditions all hold; undefined: an address but nothing to boot. */
export function matchRule(
  rules: readonly BootRule[],
  client: BootClient,
  served: ReadonlySet<string>,
): BootRule | undefined {
  return rules.find(({ when }) => holds(when, client, served));
}

/** Applies a rule's raw options to a reply, in order. A NAK gets only those that name it. */
export function applyRawOptions(options: Map<number, Buffer>, raw: readonly RawOption[], reply: DhcpMessageType): void {
  for (const option of raw) {
    if (!concerns(option, reply)) continue;
    if (option.op === 'withhold') {
      options.delete(option.code);
      continue;
    }
    const value = bytesOf(option.value);
    const present = option.op === 'add' ? options.get(option.code) : undefined;
    options.set(option.code, present ? Buffer.concat([present, value]) : value);
  }
}

/** Whether a rule keeps an option out of this reply. */
export function withholds(rule: BootRule, code: number, reply: DhcpMessageType): boolean {
  return rule.options.some((option) => option.op === 'withhold' && option.code === code && concerns(option, reply));
}

function concerns(option: RawOption, reply: DhcpMessageType): boolean {
  return option.on?.includes(reply) ?? reply !== 'nak';
}

type RawValue = Extract<RawOption, { value: unknown }>['value'];

function bytesOf(value: RawValue): Buffer {
  if ('hex' in value) return Buffer.from(value.hex.replace(/[ :]/g, ''), 'hex');
  if ('ascii' in value) return Buffer.from(value.ascii);
  return Buffer.from(value.ip.flatMap((ip) => ip.split('.').map(Number)));
}
