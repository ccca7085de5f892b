import type { EventSink } from '../../model/events.ts';
import { createStreamWindow, type StreamWindow } from './stream-window.ts';
import { type ConversationReader, createConversations, type Side } from './tcp-conversations.ts';

const recordTypes = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;
const recordHeaderBytes = 5;
const clearAlertBytes = 2;
const windowBytes = 4096;

/** The first handshake message of each side, by RFC 8446 §4. */
const hellos = { guest: { type: 1, kind: 'client-hello' }, server: { type: 2, kind: 'server-hello' } } as const;

/** RFC 8446 §6 and, for older versions, RFC 5246 §7.2. */
const alertNames: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  21: 'decryption_failed',
  22: 'record_overflow',
  30: 'decompression_failure',
  40: 'handshake_failure',
  41: 'no_certificate',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  60: 'export_restriction',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  100: 'no_renegotiation',
  109: 'missing_extension',
  110: 'unsupported_extension',
  112: 'unrecognized_name',
  113: 'bad_certificate_status_response',
  116: 'certificate_required',
  120: 'no_application_protocol',
};

/** TLS record headers in clear: hellos and alerts become events, everything else is skipped. */
export function createTlsSniffer(emit: EventSink) {
  return createConversations((port) =>
    createTlsReader((from, kind) => emit({ source: 'wire', type: 'tls', port, from, kind })),
  );
}

function createTlsReader(tell: (from: Side, kind: string) => void): ConversationReader {
  const readers = { guest: createRecordReader('guest', tell), server: createRecordReader('server', tell) };
  return {
    data: (from, position, frame, start, end) => readers[from](position, frame, start, end),
    acknowledged: () => {},
  };
}

function createRecordReader(from: Side, tell: (from: Side, kind: string) => void) {
  let window: StreamWindow | undefined = createStreamWindow(windowBytes);
  let helloExpected = true;

  /** Reads the record at the window's start; true where the next one may be read. */
  function readRecord(records: StreamWindow): boolean {
    const known = records.known();
    if (known.length < recordHeaderBytes + clearAlertBytes) return false;
    const [type, majorVersion] = known;
    const length = known.readUInt16BE(3);
    const isEncryptedFromHere = type === recordTypes.changeCipherSpec || type === recordTypes.applicationData;
    if (majorVersion !== 3 || isEncryptedFromHere) {
      window = undefined;
      return false;
    }
    if (type === recordTypes.handshake && helloExpected) {
      helloExpected = false;
      if (known[recordHeaderBytes] === hellos[from].type) tell(from, hellos[from].kind);
    }
    if (type === recordTypes.alert && length === clearAlertBytes) {
      const description = known[recordHeaderBytes + 1] as number;
      tell(from, `alert:${alertNames[description] ?? description}`);
    }
    records.advanceTo(records.base + recordHeaderBytes + length);
    return true;
  }

  return (position: number, frame: Buffer, start: number, end: number): void => {
    // Each record moves the window, so that more of the segment lies in it.
    do window?.put(position, frame, start, end);
    while (window !== undefined && readRecord(window));
  };
}
