import { encodeDhcp } from '../../../wire/codecs/dhcp.ts';
import { applyRawOptions } from '../boot-policy.ts';
import { type Reply, type Request, unset } from './answers.ts';
import { bootFields, identityOptions } from './reply-options.ts';

/** The name of the boot file that a reply carries. */
export const fileOf = ({ type, boot }: Reply): string | undefined => (type === 'nak' ? undefined : boot?.rule?.file);

/** A reply as a datagram, or why it cannot be encoded. */
export function encodeReply(
  { message, client }: Request,
  reply: Reply,
  bootServerId: string,
): Buffer | { readonly note: string } {
  const options = new Map([...identityOptions(client, reply.serverId), ...reply.options]);
  const file = fileOf(reply);
  const boot = reply.boot && file !== undefined ? bootFields(client, file, bootServerId, reply.boot.proxy) : undefined;
  for (const [code, value] of boot?.options ?? []) options.set(code, value);
  const rule = reply.boot?.rule;
  if (rule) applyRawOptions(options, rule.options, reply.type);
  try {
    return encodeDhcp({
      op: 2,
      messageType: reply.type,
      xid: message.xid,
      secs: 0,
      // A relay broadcasts a NAK only if this bit is set (RFC 2131 §4.3.2).
      broadcast: message.broadcast || reply.type === 'nak',
      ciaddr: reply.ciaddr,
      yiaddr: reply.yiaddr,
      siaddr: boot?.siaddr ?? unset,
      giaddr: message.giaddr,
      mac: message.mac,
      sname: '',
      file: boot?.file ?? '',
      options,
    });
  } catch (error) {
    return { note: `the reply cannot be encoded: ${(error as Error).message}` };
  }
}
