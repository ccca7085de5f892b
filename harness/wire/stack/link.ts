/** A layer-2 link to one guest NIC. */
export interface Link {
  /** Called for every frame from the guest; the buffer is valid only during the call. */
  onFrame(listener: (frame: Buffer) => void): void;
  /** Sends one frame, given in parts, in one write. False asks the caller to wait for `onDrain`. */
  send(parts: readonly Buffer[]): boolean;
  onDrain(listener: () => void): void;
  /** Called for a runt, which is dropped, and for an impossible length, after which the link is closed. */
  onMalformed(listener: (reason: string) => void): void;
  /** Stops reading, until `resume`; some frames already read are still delivered. */
  pause(): void;
  resume(): void;
  close(): void;
}
