// What fixtures/hostile-guest.mjs, a program in QEMU's place, is made of: loaded by it at run time.
export { mount, nfs } from '../../harness/wire/codecs/rpc.ts';
export { opaque } from '../../harness/wire/codecs/xdr.ts';
export { randomFrom } from '../../harness/wire/faults/random.ts';
export { createFrameDecoder } from '../../harness/wire/stack/frame-decoder.ts';
export { call, record, text } from '../nfs/rpc-client.ts';
export { encodeRequest } from '../tftp/client-packets.ts';
export { tcpFrame, udpFrame } from '../wire/frames.ts';
export { mend, mutatedFrame, noise, randomMutation } from './mutation.ts';
export { checkToGuest, checkToUplink } from './passes.ts';
export { recordings } from './recorded.ts';
