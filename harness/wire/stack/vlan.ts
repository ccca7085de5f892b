import { ethernet, ethernetHeaderBytes } from '../codecs/ethernet.ts';

/** IEEE 802.1Q-2018 §9.5: a tag protocol identifier and its control information, before the EtherType. */
const tagProtocol = 0x8100;
const tagBytes = 4;
/** The VLAN identifier, without priority and drop eligibility. */
const idMask = 0x0fff;

/** A VLAN that the guest may be on. */
export interface Vlan {
  /** A guest's frame without the tag of this VLAN; undefined if it is not on the network the guest is on. */
  received(frame: Buffer): Buffer | undefined;
  /** A frame as the guest expects it: tagged once it has used the VLAN. */
  sent(frame: Buffer): Buffer;
}

/**
 * The port of a switch for a guest that moves into a VLAN: with its first tagged frame the untagged network is gone, so
 * that what it fetches from then on has come over the VLAN.
 */
export function createVlan(id: number): Vlan {
  const tag = Buffer.alloc(tagBytes);
  tag.writeUInt16BE(tagProtocol, 0);
  tag.writeUInt16BE(id, 2);
  const isTagged = (frame: Buffer): boolean =>
    frame.length >= ethernetHeaderBytes + tagBytes &&
    frame.readUInt16BE(ethernet.typeAt) === tagProtocol &&
    (frame.readUInt16BE(ethernet.typeAt + 2) & idMask) === id;
  let isOnVlan = false;
  return {
    received(frame) {
      if (!isTagged(frame)) return isOnVlan ? undefined : frame;
      isOnVlan = true;
      return Buffer.concat([frame.subarray(0, ethernet.typeAt), frame.subarray(ethernet.typeAt + tagBytes)]);
    },
    sent(frame) {
      if (!isOnVlan) return frame;
      return Buffer.concat([frame.subarray(0, ethernet.typeAt), tag, frame.subarray(ethernet.typeAt)]);
    },
  };
}
