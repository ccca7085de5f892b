import { clients, type Group, type Hardship, ipxeStop, pxeStop, transfer } from './hardship-row.ts';

/** What a DHCPv4 server does. */
export const dhcpHardships: Record<string, Hardship> = {
  /** The server's NAK is to be answered with a new DISCOVER (RFC 2131 §4.4.1). */
  'nak-second-stage': {
    // All boot: iPXE 2.0 starts again with a DISCOVER, iPXE of 2019 repeats its REQUEST, which is then acknowledged.
    title: 'a NAK to the second stage’s first REQUEST',
    faults: [{ server: 'dhcp', from: { stage: 'nbp-fetch' }, of: { first: 1 }, nak: true }],
    first: true,
  },
  'naks-second-stage': {
    // Two rounds of the six REQUESTs that iPXE of 2019 sends, and some.
    title: 'a NAK to each of the second stage’s first 14 REQUESTs',
    faults: [{ server: 'dhcp', from: { stage: 'nbp-fetch' }, of: { first: 14 }, nak: true }],
    chains: ['bios-pxe', 'bios-pxe-new'],
    stops: {
      'bios-pxe': {
        stopsAt: 'nbp-dhcp',
        failure: 'nbp-loop',
        reason:
          'iPXE of 2019 takes no notice of a NAK: it sends six REQUESTs, then loads the boot file that the first stage was given, which is itself',
        reference: 'https://github.com/ipxe/ipxe/pull/66 (commit 1192edf39)',
      },
    },
  },
  nak: {
    title: 'a NAK to the first REQUEST',
    faults: [{ server: 'dhcp', of: { first: 1 }, nak: true }],
    chains: clients,
    stops: {
      'arm-new': pxeStop('PXE-E07: Network device error', 'EDK II gives PXE up at a NAK', { stopsAt: 'dhcp' }),
    },
  },
  'dhcp-two-servers': {
    title: 'a second DHCP server, without a boot file, answers first',
    faults: [{ server: 'dhcp', secondServer: { answersFirst: true } }],
    chains: clients,
    stops: {
      'bios-pxe-new': ipxeStop('nbp-fetch', 'iPXE takes the first offer, which has no boot file'),
      'bios-pxe': ipxeStop('nbp-fetch', 'iPXE takes the first offer, which has no boot file'),
      'arm-new': ipxeStop(
        'config',
        'EDK II takes the offer that has a boot file, iPXE after it the first, which has none',
      ),
    },
  },
  'dhcp-overload': {
    title: 'options in file and sname (RFC 2132 §9.3)',
    faults: [{ server: 'dhcp', overload: 'both' }],
    chains: clients,
    stops: {
      'bios-pxe-new': ipxeStop(
        'dhcp',
        'iPXE does not read options in file and sname, where the server identifier is: its REQUEST names the server 0.0.0.0',
      ),
      'bios-pxe': ipxeStop('dhcp', 'iPXE takes no offer whose options are in file and sname'),
      'arm-new': ipxeStop('nbp-dhcp', 'EDK II reads options in file and sname, iPXE after it takes no such offer'),
    },
  },
  'dhcp-split': {
    title: 'options in parts of 8 bytes (RFC 3396)',
    faults: [{ server: 'dhcp', splitOptionsAt: 8 }],
    chains: clients,
    stops: {
      'arm-new': pxeStop(
        'PXE-E23: Client received TFTP error',
        'EDK II takes the first part of option 67 for all of it, and asks for "ipxe-arm"',
      ),
    },
  },
  'dhcp-1500': {
    title: 'DHCP replies of 1,500 bytes',
    faults: [{ server: 'dhcp', datagramBytes: 1500 }],
    chains: clients,
  },
  'dhcp-silent': {
    title: 'the first three DISCOVERs unanswered',
    faults: [{ server: 'dhcp', match: { message: 'discover' }, of: { first: 3 }, silent: true }],
    chains: ['bios-pxe'],
  },
  'dhcp-slow': {
    title: 'DHCP answers after 3 s',
    faults: [{ server: 'dhcp', delayMs: 3000 }],
    chains: ['bios-pxe'],
  },
  'dhcp-boot-file-late': {
    title: 'the first OFFER without a boot file',
    faults: [{ server: 'dhcp', match: { message: 'discover' }, of: { first: 1 }, withoutBootFile: true }],
    chains: ['bios-pxe'],
  },
  'dhcp-reversed': {
    title: 'DHCP options in reverse order',
    faults: [{ server: 'dhcp', reverseOptions: true }],
    chains: ['bios-pxe'],
  },
  'dhcp-other-server': {
    title: 'the first OFFER in the name of a server that is not there',
    faults: [{ server: 'dhcp', match: { message: 'discover' }, of: { first: 1 }, otherServerId: true }],
    chains: ['bios-pxe', 'bios-pxe-new'],
    stops: {
      'bios-pxe-new': ipxeStop(
        'dhcp',
        'iPXE repeats its REQUEST to that server until it gives up, and sends no new DISCOVER',
      ),
      'bios-pxe': ipxeStop(
        'dhcp',
        'iPXE repeats its REQUEST to that server until it gives up, and sends no new DISCOVER',
      ),
    },
  },
  'dhcp-short-lease': {
    title: 'leases of 2 s, and 100 ms there and back',
    faults: [
      { server: 'dhcp', leaseSeconds: 2 },
      { match: transfer, delayMs: 50 },
    ],
    chains: ['bios-pxe', 'bios-pxe-new'],
  },
  'dhcp-address-in-use': {
    title: 'another host has the address that is offered first',
    faults: [{ server: 'dhcp', match: { message: 'discover' }, of: { first: 1 }, addressInUse: true }],
    chains: ['bios-pxe', 'bios-pxe-new'],
  },
  'dhcp-repeated': {
    title: 'subnet mask, router and boot file sent twice',
    faults: [{ server: 'dhcp', repeatOptions: [1, 3, 67] }],
    chains: ['bios-pxe', 'bios-pxe-new'],
  },
  'dhcp-576': {
    title: 'DHCP replies of 576 bytes',
    faults: [{ server: 'dhcp', datagramBytes: 576 }],
    chains: ['bios-pxe', 'bios-pxe-new'],
  },
};

/** What a TFTP server does. */
export const tftpHardships: Record<string, Hardship> = {
  'tftp-no-oack': {
    title: 'TFTP without any option',
    faults: [{ server: 'tftp', ignoreOptions: 'all' }],
    chains: clients,
    stops: {
      'arm-new': pxeStop(
        'PXE-E99: Unexpected network error',
        'EDK II asks for the size of the NBP, and has no other way to know it',
      ),
    },
  },
  'tftp-error': {
    title: 'ERROR in place of block 20',
    faults: [{ server: 'tftp', errorAtBlock: 20 }],
    chains: clients,
    stops: {
      'bios-pxe-new': ipxeStop('nbp-fetch', 'an ERROR ends a transfer (RFC 1350 §7)'),
      'bios-pxe': ipxeStop('nbp-fetch', 'an ERROR ends a transfer (RFC 1350 §7)'),
      'arm-new': pxeStop('PXE-E23: Client received TFTP error', 'an ERROR ends a transfer (RFC 1350 §7)'),
    },
  },
  'tftp-options-refused': {
    title: 'ERROR 8 to any option (RFC 2347)',
    faults: [{ server: 'tftp', refuseOptions: true }],
    chains: ['bios-pxe'],
    stops: { 'bios-pxe': ipxeStop('nbp-fetch', 'iPXE does not ask again without options') },
  },
  'tftp-slow-start': {
    title: 'TFTP starts after 5 s',
    faults: [{ server: 'tftp', delayMs: 5000 }],
    chains: ['bios-pxe'],
  },
  'tftp-other-tid': {
    title: 'block 20 from another port first',
    faults: [{ server: 'tftp', otherTidAtBlock: 20 }],
    chains: clients,
  },
  'tftp-no-tsize': {
    title: 'TFTP without tsize',
    faults: [{ server: 'tftp', ignoreOptions: ['tsize'] }],
    chains: ['bios-pxe', 'arm'],
    stops: {
      arm: pxeStop(
        'PXE-E53: No boot filename received',
        'EDK II takes the file for one of 0 bytes where the server does not say how long it is',
        { reference: 'https://github.com/sirMackk/py3tftp/pull/10' },
      ),
    },
    first: true,
  },
  'tftp-tsize-unasked': {
    title: 'tsize in every OACK, asked for or not',
    faults: [{ server: 'tftp', oack: { tsize: 'length' } }],
    // iPXE always asks.
    chains: ['uefi', 'arm'],
    stops: Object.fromEntries(
      ['uefi', 'arm'].map((chain) => [
        chain,
        pxeStop(
          'PXE-E23: Client received TFTP error',
          'EDK II refuses an OACK with an option that it has not asked for, as RFC 2347 has it',
          { reference: 'https://github.com/gagle/node-tftp/issues/13' },
        ),
      ]),
    ),
    first: true,
  },
  'tftp-last-ack-lost': {
    title: 'the last ACK lost',
    faults: [{ server: 'tftp', loseLastAck: true }],
    chains: ['bios-pxe', 'arm'],
    first: true,
  },
  'tftp-silent': {
    title: 'the first TFTP request unanswered',
    faults: [{ server: 'tftp', of: { first: 1 }, silent: true }],
    chains: clients,
  },
  'tftp-blksize-ignored': {
    title: 'TFTP without blksize',
    faults: [{ server: 'tftp', ignoreOptions: ['blksize'] }],
    chains: ['bios-pxe', 'bios-pxe-new'],
  },
  'tftp-blksize-raised': {
    title: 'a larger blksize granted than was asked for, or one of 1,448',
    faults: [{ server: 'tftp', oack: { blksize: 1448 } }],
    chains: ['bios-pxe', 'bios-pxe-new'],
  },
  'tftp-window-raised': {
    title: 'a windowsize of 16 granted, whatever was asked for',
    faults: [{ server: 'tftp', oack: { windowsize: 16 } }],
    chains: ['bios-pxe', 'bios-pxe-new'],
  },
  'tftp-skip': {
    title: 'block number 20 left out',
    faults: [{ server: 'tftp', skipBlock: 20 }],
    chains: ['bios-pxe', 'bios-pxe-new'],
    stops: {
      'bios-pxe-new': ipxeStop('nbp-fetch', 'a block that never comes is waited for until the client gives up'),
      'bios-pxe': ipxeStop('nbp-fetch', 'a block that never comes is waited for until the client gives up'),
    },
  },
  'tftp-window-ignored': {
    // Of these clients only EDK II asks for a windowsize, of 4.
    title: 'TFTP without windowsize',
    faults: [{ server: 'tftp', ignoreOptions: ['windowsize'] }],
    chains: ['uefi', 'arm-new'],
  },
  'tftp-longer': {
    title: 'an NBP 1,000 bytes longer than its tsize',
    faults: [{ server: 'tftp', until: { stage: 'nbp-fetch' }, of: { after: 1 }, lengthOff: 1000 }],
    chains: ['arm-new'],
    stops: {
      'arm-new': pxeStop(
        'PXE-E05: Buffer size is smaller than the requested file',
        'EDK II asks for the size first, and has a buffer of that size when it asks for the file',
      ),
    },
  },
  'tftp-tsize-wrong': {
    title: 'tsize 100 bytes, whatever the file has',
    faults: [{ server: 'tftp', oack: { tsize: 100 } }],
    chains: ['bios-pxe', 'bios-pxe-new'],
  },
};

/** In 2022 as in 2026: EDK II has learnt to resume a download, but only after a timeout or a device error, not where the server closes. */
const notResumed: Group['expect'] = {
  stopsAt: 'nbp-fetch',
  failure: { rule: 'http-boot-error', says: 'Unexpected network error' },
  reason: 'UEFI HTTP boot does not ask for the rest when the server closes the connection in the middle of the NBP',
  reference: 'https://github.com/tianocore/edk2/pull/6066',
};

const ipxeHttp = (stop: Group['expect']): Hardship['stops'] => ({ 'bios-http': stop, 'bios-http-new': stop });
const edk2Http = (stop: Group['expect']): Hardship['stops'] => ({ 'uefi-http': stop, 'uefi-http-new': stop });

/** Stops of EDK II's HTTP boot, by the status that it prints. */
const statusStop = (status: string, reason: string): Group['expect'] => ({
  ...{ stopsAt: 'nbp-fetch', failure: { rule: 'http-boot-status', says: `^${status} ` }, reason },
});

const notFollowed = statusStop('Redirection: 302', 'EDK II does not follow redirects');

/** In 2026 it acknowledges the whole file first. */
const withoutHead = (stopsAt: 'nbp-fetch' | 'nbp'): Group['expect'] => ({
  ...{ stopsAt, failure: { rule: 'deadline', says: 'with the guest at work' } },
  reason:
    'EDK II then asks by GET how long the file is, which it learns from chunks only: it reads a body of known length into a buffer of no bytes, for ever (HttpBootGetBootFile)',
});

/** What an HTTP server does to UEFI HTTP boot, and to iPXE. */
export const httpHardships: Record<string, Hardship> = {
  'http-cut': {
    title: 'the connection closed in the middle of the NBP, once',
    faults: [{ server: 'http', match: { method: 'GET' }, of: { first: 1 }, truncateToBytes: 50_000 }],
    stops: {
      ...ipxeHttp(ipxeStop('nbp-fetch', 'iPXE does not ask for the rest, nor again')),
      'uefi-http': notResumed,
      'uefi-http-new': notResumed,
    },
    first: true,
  },
  'http-not-found': {
    title: '404 to the first GET',
    faults: [{ server: 'http', match: { method: 'GET' }, of: { first: 1 }, status: 404 }],
    chains: ['bios-http', 'bios-http-new', 'uefi-http'],
    stops: {
      ...ipxeHttp(ipxeStop('nbp-fetch', 'iPXE does not ask again after an error')),
      ...edk2Http(statusStop('Client Error: 404', 'EDK II ends the boot option at an error')),
    },
  },
  'http-error': {
    title: '500 to the first request',
    faults: [{ server: 'http', of: { first: 1 }, status: 500 }],
    chains: ['bios-http', 'bios-http-new'],
    stops: { ...ipxeHttp(ipxeStop('nbp-fetch', 'iPXE does not ask again after an error')) },
  },
  'http-busy': {
    title: '503 to the first two requests',
    faults: [{ server: 'http', of: { first: 2 }, status: 503 }],
    chains: ['bios-http', 'bios-http-new', 'uefi-http'],
    stops: {
      ...ipxeHttp(ipxeStop('nbp-fetch', 'iPXE asks again only where Retry-After says when')),
      ...edk2Http(
        statusStop(
          'Server Error: 503',
          'EDK II asks for the length by HEAD, then by GET, and ends the boot option at the second error',
        ),
      ),
    },
  },
  'http-busy-later': {
    title: '503 to the first two requests, with Retry-After: 1',
    faults: [{ server: 'http', of: { first: 2 }, status: 503, retryAfterSeconds: 1 }],
    chains: ['bios-http-new', 'uefi-http'],
    stops: {
      ...edk2Http(
        statusStop(
          'Server Error: 503',
          'EDK II asks for the length by HEAD, then by GET, and takes no notice of Retry-After',
        ),
      ),
    },
  },
  'http-redirects': {
    title: 'three redirects (302) in a row',
    faults: [{ server: 'http', of: { first: 3 }, status: 302 }],
    chains: ['bios-http', 'bios-http-new', 'uefi-http'],
    stops: { ...edk2Http(notFollowed) },
  },
  'http-redirect-loop': {
    title: 'redirects (302) without end',
    faults: [{ server: 'http', status: 302 }],
    // iPXE follows them without limit, which takes as long as the case may.
    chains: ['uefi-http'],
    stops: { 'uefi-http': notFollowed },
  },
  'http-no-length': {
    title: 'no Content-Length, the end of the connection is the end of the file',
    faults: [{ server: 'http', contentLength: 'none' }],
    chains: ['bios-http-new', 'uefi-http'],
    stops: {
      ...edk2Http({
        stopsAt: 'nbp-fetch',
        failure: { rule: 'http-boot-error', says: 'Could not retrieve NBP file size' },
        reason:
          'EDK II knows the length of a body from Content-Length or from chunks, and does not read one to its end to find out',
      }),
    },
  },
  'http-chunked': {
    title: 'chunked',
    faults: [{ server: 'http', contentLength: 'chunked' }],
    chains: ['bios-http-new', 'uefi-http'],
  },
  'http-length-too-large': {
    title: 'Content-Length 1,000 too large',
    faults: [{ server: 'http', contentLength: { offBy: 1000 } }],
    chains: ['bios-http', 'bios-http-new', 'uefi-http'],
    stops: {
      ...ipxeHttp(ipxeStop('nbp-fetch', 'iPXE refuses a body that is shorter than its Content-Length')),
      ...edk2Http(notResumed),
    },
  },
  'http-length-too-small': {
    title: 'Content-Length of the NBP 1,000 too small',
    faults: [{ server: 'http', until: { stage: 'nbp-fetch' }, contentLength: { offBy: -1000 } }],
    chains: ['bios-http-new'],
    stops: { ...ipxeHttp(ipxeStop('nbp-fetch', 'iPXE refuses a body that is longer than its Content-Length')) },
  },
  'http-drip': {
    title: '50,000 bytes a second',
    faults: [{ server: 'http', bytesPerSecond: 50_000 }],
    chains: ['bios-http', 'bios-http-new', 'uefi-http'],
  },
  'http-silent': {
    title: 'the first HTTP request unanswered',
    faults: [{ server: 'http', of: { first: 1 }, silent: true }],
    // The two minutes are the server's, and all of them are the guest's on an idle host.
    deadlines: { stageMs: { 'nbp-fetch': 150_000 } },
    chains: ['bios-http', 'bios-http-new'],
    stops: {
      ...ipxeHttp(
        ipxeStop(
          'nbp-fetch',
          'iPXE waits for an answer while the connection is open; the server closes it after two minutes',
        ),
      ),
    },
  },
  'http-slow': {
    title: 'HTTP answers after 3 s',
    faults: [{ server: 'http', delayMs: 3000 }],
    chains: ['bios-http', 'bios-http-new'],
  },
  'http-closed-between': {
    title: 'each connection closed after its response, without a word',
    faults: [{ server: 'http', closeAfterwards: true }],
  },
  'dhcp-renewal': {
    title: 'a lease of 4 s, renewed in the middle of the NBP, which takes 6 s',
    faults: [
      { server: 'dhcp', leaseSeconds: 4 },
      { server: 'http', until: { stage: 'nbp-fetch' }, bytesPerSecond: 30_000 },
      // Met by a client that asks again before it has its NBP. EDK II's PXE does not: no second REQUEST in 40 s of TFTP.
      {
        ...{ server: 'dhcp', match: { message: 'request' }, of: { nth: 2 } },
        ...{ until: { stage: 'nbp-fetch' }, delayMs: 200 },
      },
    ],
    chains: ['uefi-http'],
  },
  // iPXE sends no HEAD.
  'http-head-refused': {
    title: '405 to HEAD',
    faults: [{ server: 'http', match: { method: 'HEAD' }, status: 405 }],
    chains: ['uefi-http', 'uefi-http-new'],
    stops: { 'uefi-http': withoutHead('nbp-fetch'), 'uefi-http-new': withoutHead('nbp') },
  },
  'http-head-refused-chunked': {
    title: '405 to HEAD, and what GET asks for chunked',
    faults: [
      { server: 'http', match: { method: 'HEAD' }, status: 405 },
      { server: 'http', match: { method: 'GET' }, contentLength: 'chunked' },
    ],
    chains: ['uefi-http', 'uefi-http-new'],
  },
};

/** What an HTTPS server does to the handshakes of UEFI HTTP boot, and of iPXE. */
export const tlsHardships: Record<string, Hardship> = {
  'tls-alert': {
    title: 'a fatal alert (handshake_failure) to the first ClientHello',
    faults: [{ server: 'tls', of: { first: 1 }, alert: 'handshakeFailure' }],
    chains: ['uefi-https', 'arm-https'],
    stops: {
      'uefi-https': {
        stopsAt: 'nbp-fetch',
        failure: { rule: 'http-boot-error', says: 'Could not retrieve NBP file size' },
        reason: 'EDK II ends the boot option when a handshake fails',
      },
      'arm-https': ipxeStop('config', 'iPXE does not try again after an alert'),
    },
  },
};

/** What it does in the middle of a boot: connections must not be kept, or there is one handshake. */
export const laterTlsHardships: Record<string, Hardship> = {
  'tls-expired-later': {
    title: 'a certificate that has expired by the second connection',
    faults: [
      { server: 'http', closeAfterwards: true },
      { server: 'tls', of: { after: 1 }, certificate: 'expired' },
    ],
    stops: { 'arm-https-linux': ipxeStop('payload-fetch', 'iPXE checks the certificate of each connection') },
  },
};

/** What a DHCPv6 server does. */
export const dhcp6Hardships: Record<string, Hardship> = {
  'dhcp6-silent': {
    title: 'the first two SOLICITs unanswered',
    faults: [{ server: 'dhcp6', match: { message: 'solicit' }, of: { first: 2 }, silent: true }],
  },
  'dhcp6-slow': {
    title: 'DHCPv6 answers after 3 s',
    faults: [{ server: 'dhcp6', delayMs: 3000 }],
  },
  'dhcp6-no-address': {
    title: 'no address left for the first SOLICIT',
    faults: [{ server: 'dhcp6', match: { message: 'solicit' }, of: { first: 1 }, status: 'noAddrsAvail' }],
  },
  'dhcp6-refused': {
    title: 'the first REQUEST refused (UnspecFail)',
    faults: [{ server: 'dhcp6', match: { message: 'request' }, of: { first: 1 }, status: 'unspecFail' }],
  },
  'dhcp6-other-server': {
    title: 'the first ADVERTISE in the name of a server that is not there',
    faults: [{ server: 'dhcp6', match: { message: 'solicit' }, of: { first: 1 }, otherServerId: true }],
    stops: Object.fromEntries(
      ['bios-ipv6', 'bios-ipv6-new'].map((chain) => [
        chain,
        ipxeStop('dhcp', 'iPXE repeats its REQUEST to that server until it gives up, and sends no new SOLICIT'),
      ]),
    ),
  },
  'dhcp6-short-lease': {
    title: 'DHCPv6 leases of 2 s, and 100 ms there and back',
    faults: [
      { server: 'dhcp6', leaseSeconds: 2 },
      { match: transfer, delayMs: 50 },
    ],
  },
  'dhcp6-boot-file-late': {
    title: 'the first ADVERTISE without a boot file',
    faults: [{ server: 'dhcp6', match: { message: 'solicit' }, of: { first: 1 }, withoutBootFile: true }],
  },
  'dhcp6-reversed': {
    title: 'DHCPv6 options in reverse order',
    faults: [{ server: 'dhcp6', reverseOptions: true }],
  },
  'dhcp6-repeated': {
    title: 'server identifier and boot file URL sent twice',
    faults: [{ server: 'dhcp6', repeatOptions: [2, 59] }],
    chains: ['bios-ipv6-new'],
  },
  'dhcp6-two-servers': {
    title: 'a second DHCPv6 server, without preference and boot file, answers first',
    faults: [{ server: 'dhcp6', secondServer: { answersFirst: true } }],
    chains: ['bios-ipv6-new'],
    stops: {
      'bios-ipv6-new': ipxeStop(
        'nbp-fetch',
        'iPXE takes the first ADVERTISE, whatever preference a later one has; it has no boot file',
      ),
    },
  },
  // No address that another host has: iPXE does not ask for it (RFC 4862 §5.4), so that nothing can answer.
};
