// What fixtures/hostile-guest.mjs, a program in QEMU's place, is made of: loaded by it at run time.
export { parseMac } from '../../harness/wire/codecs/addresses.ts';
export { dissect } from '../../harness/wire/codecs/packet.ts';
export { mount, nfs } from '../../harness/wire/codecs/rpc.ts';
export { opaque, uint32s } from '../../harness/wire/codecs/xdr.ts';
export { randomFrom } from '../../harness/wire/faults/random.ts';
export { createFrameDecoder } from '../../harness/wire/stack/frame-decoder.ts';
export { call, RpcClient, record, text } from '../nfs/rpc-client.ts';
export { encodeRequest } from '../tftp/client-packets.ts';
export { tagged, tcpFrame, udpFrame } from '../wire/frames.ts';
export { mend, mutated, mutatedFrame, noise, randomMutation } from './mutation.ts';
export { checkToGuest, checkToUplink, tagOf, untagged } from './passes.ts';
export { recordings } from './recorded.ts';
