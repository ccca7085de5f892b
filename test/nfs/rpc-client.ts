import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { parseReply } from '../../harness/wire/codecs/rpc.ts';
import { opaque, uint32s, type XdrReader } from '../../harness/wire/codecs/xdr.ts';

const lastFragment = 0x8000_0000;

export const text = (value: string): Buffer => opaque(Buffer.from(value));

/** A record of one fragment. */
export const record = (body: Buffer): Buffer => Buffer.concat([uint32s(lastFragment + body.length), body]);

/** A CALL with an AUTH_NONE credential. */
export function call(xid: number, program: number, version: number, procedure: number, ...args: Buffer[]): Buffer {
  return Buffer.concat([uint32s(xid, 0, 2, program, version, procedure, 0, 0, 0, 0), ...args]);
}

/** One connection to a server of the harness, which answers with records of one fragment. */
export class RpcClient {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #xid = 0;
  #wake = (): void => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#wake();
    });
    socket.on('close', () => this.#wake());
    socket.on('error', () => {});
  }

  static async open(port: number): Promise<RpcClient> {
    const socket = connect(port, '127.0.0.1');
    const client = new RpcClient(socket);
    await once(socket, 'connect');
    return client;
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** The next record, without its mark; undefined once the server has closed the connection. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const held = this.#received;
      const bytes = held.length < 4 ? Number.POSITIVE_INFINITY : held.readUInt32BE(0) - lastFragment;
      if (held.length >= 4 + bytes) {
        this.#received = held.subarray(4 + bytes);
        return held.subarray(4, 4 + bytes);
      }
      if (this.#socket.closed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Reply to a call, as it stands behind its xid. */
  async raw(program: number, version: number, procedure: number, ...args: Buffer[]): Promise<Buffer> {
    this.#xid += 1;
    this.send(record(call(this.#xid, program, version, procedure, ...args)));
    return (await this.next())!;
  }

  /** Results of a call that was accepted. */
  async results(program: number, version: number, procedure: number, ...args: Buffer[]): Promise<XdrReader> {
    return parseReply(await this.raw(program, version, procedure, ...args))!.results;
  }
}
