// The least that a Node process can do behind `-netdev stream`, and so what the harness cannot be faster than: no
// records, no checks, and every answer prepared.
import { Duplex } from 'node:stream';
import { fds } from '../../.build/harness/plan/argv.js';
import { systemClock } from '../../.build/harness/services/clock.js';
import { startDhcp } from '../../.build/harness/services/dhcp/v4/server.js';
import { startTftp } from '../../.build/harness/services/tftp/server.js';
import { openTree } from '../../.build/harness/services/tree/served-tree.js';
import { linkOverStream } from '../../.build/harness/wire/stack/stream-link.js';
import { createWire } from '../../.build/harness/wire/wire.js';
import { transferBytes } from './cells.mjs';
import { runGuest, userNetwork, withNetdevs } from './plain-side.mjs';

/** Offsets in a frame on the stream: after its length come Ethernet, IPv4 without options and UDP. */
const at = { frame: 4, ip: 18, udp: 38, tftp: 46 };
const blockBytes = 1432;
const transferId = 49_000;
const request = Buffer.from('\0\x01big\0');
const lastBlock = Math.floor(transferBytes / blockBytes) + 1;
const oack = Buffer.from(`\0\x06blksize\0${blockBytes}\0tsize\0${transferBytes}\0`);

/** An answer to what the guest sent, ready for the stream; its UDP has no checksum, as IPv4 allows. */
function answerTo(received, payload) {
  const answer = Buffer.alloc(at.tftp + payload.length);
  answer.writeUInt32BE(answer.length - at.frame, 0);
  received.copy(answer, at.frame, at.frame + 6, at.frame + 12);
  received.copy(answer, at.frame + 6, at.frame, at.frame + 6);
  answer.writeUInt16BE(0x0800, at.frame + 12);
  answer.writeUInt32BE(0x4500_0000 + answer.length - at.ip, at.ip);
  answer.writeUInt32BE(0x4011_0000, at.ip + 8);
  received.copy(answer, at.ip + 12, at.ip + 16, at.ip + 20);
  received.copy(answer, at.ip + 16, at.ip + 12, at.ip + 16);
  let sum = 0;
  for (let word = at.ip; word < at.udp; word += 2) sum += answer.readUInt16BE(word);
  while (sum > 0xffff) sum = (sum >>> 16) + (sum & 0xffff);
  answer.writeUInt16BE(~sum & 0xffff, at.ip + 10);
  answer.writeUInt16BE(transferId, at.udp);
  received.copy(answer, at.udp + 2, at.udp, at.udp + 2);
  answer.writeUInt16BE(answer.length - at.udp, at.udp + 4);
  payload.copy(answer, at.tftp);
  return answer;
}

const data = (bytes) => Buffer.concat([Buffer.from([0, 3, 0, 0]), Buffer.alloc(bytes, 'netboot')]);

/** Answers requests for `big` and their acknowledgements; true if this chunk was one. No block number comes twice in 40 MB. */
function answersTransfer(stream) {
  let full;
  let last;
  return (chunk) => {
    if (chunk.length >= at.tftp + 4 && chunk.readUInt16BE(at.udp + 2) === transferId) {
      const next = chunk.readUInt16BE(at.tftp + 2) + 1;
      if (next > lastBlock) return true;
      const answer = next === lastBlock ? last : full;
      answer.writeUInt16BE(next, at.tftp + 2);
      stream.write(answer);
      return true;
    }
    if (!chunk.subarray(at.tftp, at.tftp + request.length).equals(request)) return false;
    full = answerTo(chunk, data(blockBytes));
    last = answerTo(chunk, data(transferBytes % blockBytes));
    stream.write(answerTo(chunk, oack));
    return true;
  };
}

/** `stream` without the chunks that `answered` takes. */
function without(stream, answered) {
  const rest = new Duplex({ read() {}, write: (chunk, _encoding, done) => stream.write(chunk, done) });
  stream.on('data', (chunk) => {
    if (!answered(chunk)) rest.push(Buffer.from(chunk));
  });
  stream.resume();
  return rest;
}

/** DHCP and the script come from the harness; the transfer is answered as soon as it is read. */
export const runTftpFloor = (cell, scratch, marks) =>
  runGuest(cell, scratch, marks, {
    descriptors: fds,
    attach(guest, plan) {
      const { network, boot, serve } = plan;
      const emit = () => {};
      const nic = linkOverStream(without(guest.nic, answersTransfer(guest.nic)));
      const { udp } = createWire({ network, nic, emit, now: () => performance.now() });
      startDhcp(udp, { rules: boot, network, served: () => new Set(), emit });
      startTftp(udp, { tree: openTree(serve), emit, clock: systemClock });
    },
  });

/** QEMU's user-mode network serves everything; its frames and the guest's pass through Node unread. */
export const runHttpFloor = (cell, scratch, marks) =>
  runGuest(cell, scratch, marks, {
    descriptors: fds,
    argv: (argv, { folder, bootFile }) => withNetdevs(argv, { 'user,id=up,': userNetwork('up', folder, bootFile) }),
    attach({ nic, uplink }) {
      const relay = (from, to) => {
        from.on('data', (chunk) => to.write(Buffer.from(chunk)));
        from.resume();
      };
      relay(nic, uplink);
      relay(uplink, nic);
    },
  });
