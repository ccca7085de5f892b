import { createServer, type Socket } from 'node:net';
import type { IpVersion } from '../../model/axes.ts';
import { tableBounds } from '../../model/bounds.ts';
import type { EventSink } from '../../model/events.ts';
import { createMalformedLog } from '../../wire/codecs/malformed.ts';
import { lastFragment, parseCall, recordMarkBytes, replies, rpcVersion } from '../../wire/codecs/rpc.ts';
import { uint32s, type XdrReader } from '../../wire/codecs/xdr.ts';
import { createGuard } from '../../wire/guard.ts';
import { listenOnLoopback, type RunningServer } from '../loopback-server.ts';

/** Results of a procedure as buffers; undefined if its arguments cannot be parsed. */
type Results = readonly Buffer[] | undefined;

export interface RpcProgram {
  readonly program: number;
  readonly version: number;
  readonly procedures: Readonly<Record<number, (args: XdrReader) => Results | Promise<Results>>>;
}

/** The longest call served is a mount, with a path of 1,024 bytes and 800 of credentials. */
const maxRecordBytes = 4096;
/** AUTH_NONE and AUTH_SYS: everyone may read. */
const acceptedFlavours: readonly number[] = [0, 1];

/** ONC RPC (RFC 5531) over TCP on loopback: one call per connection at a time, in order. */
export async function startRpc(
  programs: readonly RpcProgram[],
  { emit, ipVersion = 4 }: { emit: EventSink; ipVersion?: IpVersion },
): Promise<RunningServer> {
  const guard = createGuard(emit);
  const malformed = createMalformedLog(emit);
  const onConnection = guard('an RPC connection', async (socket: Socket) => {
    const reason = await serve(socket, programs).finally(() => socket.destroy());
    if (reason !== undefined) malformed('guest', 'rpc', reason);
  });
  const server = createServer({ noDelay: true }, onConnection);
  server.maxConnections = tableBounds.connections;
  return listenOnLoopback(server, { ipVersion, guard });
}

class MalformedRecord extends Error {}

/**
 * Serves until the connection ends; returns why if it was malformed. Reads on only once the reply is written, so a peer
 * that does not read is not read from.
 */
async function serve(socket: Socket, programs: readonly RpcProgram[]): Promise<string | undefined> {
  socket.on('error', () => {});
  let answering = false;
  try {
    for await (const record of recordsOf(socket)) {
      answering = true;
      const reply = Buffer.concat([Buffer.alloc(recordMarkBytes), ...(await answer(record, programs))]);
      answering = false;
      reply.writeUInt32BE((lastFragment | (reply.length - recordMarkBytes)) >>> 0, 0);
      // In one write: iPXE wants the head of a reply in one segment.
      await new Promise<void>((resolve) => socket.write(reply, () => resolve()));
    }
  } catch (error) {
    if (error instanceof MalformedRecord) return error.message;
    // A broken connection is the guest's business; a fault of a procedure is not.
    if (answering) throw error;
  }
  return undefined;
}

/** Splits a stream by its record marks; never holds more than a record and what arrived with its end. */
async function* recordsOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  let record: Buffer = Buffer.alloc(0);
  for await (const data of stream) {
    held = Buffer.concat([held, data]);
    while (held.length >= recordMarkBytes) {
      const mark = held.readUInt32BE(0);
      const bytes = mark % lastFragment;
      // Empty fragments could otherwise go on endlessly without reaching the limit.
      if (bytes + record.length > maxRecordBytes || bytes === 0)
        throw new MalformedRecord(`a fragment of ${bytes} bytes`);
      if (held.length < recordMarkBytes + bytes) break;
      record = Buffer.concat([record, held.subarray(recordMarkBytes, recordMarkBytes + bytes)]);
      held = held.subarray(recordMarkBytes + bytes);
      if (mark < lastFragment) continue;
      yield record;
      record = Buffer.alloc(0);
    }
  }
}

async function answer(record: Buffer, programs: readonly RpcProgram[]): Promise<readonly Buffer[]> {
  const call = parseCall(record);
  if (call === undefined) throw new MalformedRecord('not a call');
  const reply = (kind: keyof typeof replies, ...more: number[]) => [uint32s(call.xid, ...replies[kind], ...more)];
  if (call.rpcVersion !== rpcVersion) return reply('rpcMismatch');
  if (!acceptedFlavours.includes(call.flavour)) return reply('weakCredential');
  const program = programs.find((one) => one.program === call.program);
  if (program === undefined) return reply('programUnavailable');
  if (program.version !== call.version) return reply('programMismatch', program.version, program.version);
  const procedure = program.procedures[call.procedure];
  if (procedure === undefined) return reply('procedureUnavailable');
  const results = await procedure(call.args);
  return results === undefined || call.args.short ? reply('garbageArguments') : [...reply('success'), ...results];
}
