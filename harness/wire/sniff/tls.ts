import { X509Certificate } from 'node:crypto';
import type { CertificateFacts, EventSink } from '../../model/events.ts';
import { createStreamWindow, type StreamWindow } from './stream-window.ts';
import { type ConversationReader, createConversations, type Side } from './tcp-conversations.ts';

const recordTypes = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;
const recordHeaderBytes = 5;
const clearAlertBytes = 2;
const windowBytes = 4096;
/** A whole record (RFC 8446 §5.1), to hold the server's certificate. */
const serverWindowBytes = recordHeaderBytes + 2 ** 14;
/** RFC 5246 §7.4. */
const certificateMessage = 11;
const maxNamesLength = 120;

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

/** What TLS shows in the clear: hellos, alerts, and a guest that closes instead of continuing. The rest is skipped. */
export function createTlsSniffer(emit: EventSink) {
  return createConversations((port) =>
    createTlsReader((from, kind, certificate) =>
      emit({ source: 'wire', type: 'tls', port, from, kind, ...(certificate && { certificate }) }),
    ),
  );
}

type Report = (from: Side, kind: string, certificate?: CertificateFacts) => void;

function createTlsReader(report: Report): ConversationReader {
  let acknowledgedTo = 0;
  let certificate: { facts: CertificateFacts; end: number } | undefined;
  /** The guest continued after its hello, or the rest is encrypted. */
  let guestContinued = false;
  const delivered = () => (certificate && acknowledgedTo >= certificate.end ? certificate.facts : undefined);

  const guest = createRecordReader(windowBytes, {
    onHello: (type) => type === hellos.guest.type && report('guest', hellos.guest.kind),
    onHandshake: () => {
      guestContinued = true;
    },
    onAlert: (alert) => report('guest', `alert:${alert}`, delivered()),
    onEncrypted: () => {
      guestContinued = true;
    },
  });
  const server = createRecordReader(serverWindowBytes, {
    onHello: (type) => type === hellos.server.type && report('server', hellos.server.kind),
    onHandshake: (messages, end) => {
      const facts = certificateIn(messages);
      if (facts) certificate ??= { facts, end };
    },
    onAlert: (alert) => report('server', `alert:${alert}`),
    onEncrypted: () => {},
  });
  return {
    data: (from, position, frame, start, end) => (from === 'guest' ? guest : server)(position, frame, start, end),
    acknowledged(position) {
      acknowledgedTo = Math.max(acknowledgedTo, position);
    },
    left() {
      if (!guestContinued) report('guest', 'left', delivered());
    },
  };
}

interface RecordHandlers {
  /** The first handshake message's type. */
  onHello(type: number): void;
  /** What a record after the first one holds, and where it ends in the stream. */
  onHandshake(messages: Buffer, end: number): void;
  onAlert(name: string): void;
  /** Everything from here on is encrypted. */
  onEncrypted(): void;
}

function createRecordReader(capacityBytes: number, handlers: RecordHandlers) {
  let window: StreamWindow | undefined = createStreamWindow(capacityBytes);
  let helloExpected = true;

  /** Reads the record at the window's start; true if the next one may be read. */
  function readRecord(records: StreamWindow): boolean {
    const known = records.known();
    if (known.length < recordHeaderBytes + clearAlertBytes) return false;
    const [type, majorVersion] = known;
    const end = recordHeaderBytes + known.readUInt16BE(3);
    const isEncryptedFromHere = type === recordTypes.changeCipherSpec || type === recordTypes.applicationData;
    if (majorVersion !== 3 || isEncryptedFromHere) {
      window = undefined;
      handlers.onEncrypted();
      return false;
    }
    // A hello may be longer than the window, and only its type matters.
    if (type === recordTypes.handshake && helloExpected) {
      helloExpected = false;
      handlers.onHello(known[recordHeaderBytes] as number);
    } else if (known.length < Math.min(end, capacityBytes)) {
      return false;
    } else if (type === recordTypes.handshake) {
      handlers.onHandshake(known.subarray(recordHeaderBytes, end), records.base + end);
    }
    if (type === recordTypes.alert && end === recordHeaderBytes + clearAlertBytes) {
      const description = known[recordHeaderBytes + 1] as number;
      handlers.onAlert(alertNames[description] ?? String(description));
    }
    records.advanceTo(records.base + end);
    return true;
  }

  return (position: number, frame: Buffer, start: number, end: number): void => {
    // Each record moves the window over more of the segment.
    do window?.put(position, frame, start, end);
    while (window !== undefined && readRecord(window));
  };
}

/**
 * The first certificate of a Certificate message (RFC 5246 §7.4.2) at the start of `messages`; undefined for
 * any other message, and for one that continues in another record.
 */
function certificateIn(messages: Buffer): CertificateFacts | undefined {
  const derAt = 10;
  if (messages[0] !== certificateMessage || messages.length < derAt) return undefined;
  const der = messages.subarray(derAt, derAt + messages.readUIntBE(derAt - 3, 3));
  try {
    const { subjectAltName, subject, issuer } = new X509Certificate(der);
    return { names: line(subjectAltName ?? subject), issuer: line(issuer) };
  } catch {
    return undefined;
  }
}

/** The names that node:crypto puts on lines of their own, on one line. */
const line = (names: string | undefined): string => (names ?? '').replaceAll('\n', ', ').slice(0, maxNamesLength);
