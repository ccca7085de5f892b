import { describe, expect, test } from 'vitest';
import { deliveryOf, followDeliveries } from '../../harness/model/deliveries.ts';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { parseTarget } from '../../harness/model/served-name.ts';
import { urlOf } from '../../harness/plan/url.ts';
import { openTree } from '../../harness/services/tree/served-tree.ts';
import { createTftpSniffer } from '../../harness/wire/sniff/tftp.ts';
import { encodeAck, encodeData, encodeRequest } from '../tftp/client-packets.ts';

const names = ['grub/grub.cfg', 'my boot/50% off.efi', 'a+b?c#d.efi', 'größe.efi', '%zz'];
const tree = openTree(Object.fromEntries(names.map((name) => [name, { text: 'x' }])));

/** What the wire's events say was delivered when a guest fetched `file` by TFTP. */
function deliveredByTftp(file: string): string | undefined {
  const events: UntimedEvent[] = [];
  const sniffer = createTftpSniffer(
    () => 0,
    (event) => events.push(event),
  );
  const datagram = { guestPort: 2000, ipVersion: 4 } as const;
  const rrq = encodeRequest({ kind: 'rrq', file, mode: 'octet', options: new Map() });
  sniffer.datagram({ ...datagram, from: 'guest', serverPort: 69, payload: rrq });
  sniffer.datagram({ ...datagram, from: 'server', serverPort: 5000, payload: encodeData(1, Buffer.from('x')) });
  sniffer.datagram({ ...datagram, from: 'guest', serverPort: 5000, payload: encodeAck(1) });
  return events.map(deliveryOf).find((delivery) => delivery)?.name;
}

function deliveredByHttp(target: string): string | undefined {
  return deliveryOf({ source: 'wire', type: 'http-complete', target, status: 200, port: 80, bytes: 1, ms: 1 })?.name;
}

/** The name the tree serves for what was asked, or undefined. */
async function servedAs(requested: string): Promise<string | undefined> {
  const found = await tree.lookup(requested);
  return found.kind === 'file' ? found.name : undefined;
}

describe('what is served is what proves a stage', () => {
  test.each([
    ...names,
    '/grub/grub.cfg',
    '//grub//grub.cfg',
    './grub/./grub.cfg',
    '/./grub/grub.cfg',
    'grub/grub.cfg/',
  ])('%s, by TFTP', async (file) => {
    const served = await servedAs(file);
    expect(names).toContain(served);
    expect(deliveredByTftp(file)).toBe(served);
  });

  test.each(['grub\\grub.cfg', 'grub/../grub/grub.cfg', 'grub%2fgrub.cfg', 'my%20boot/50%25%20off.efi'])(
    '%s is not served by TFTP, and proves nothing',
    async (file) => {
      expect(await servedAs(file)).toBeUndefined();
      expect(names).not.toContain(deliveredByTftp(file));
    },
  );

  test.each([
    ...names.map((name) => new URL(urlOf('http', '10.0.2.2', name)).pathname),
    '/grub%2fgrub.cfg',
    '/grub/grub.cfg?mac=1',
    '/%67rub/grub.cfg',
    '//grub//./grub.cfg',
    'http://10.0.2.2/grub/grub.cfg',
    'HTTP://[fd00::2]/grub/grub.cfg',
  ])('%s, by HTTP', async (target) => {
    const name = parseTarget(target);
    const served = typeof name === 'string' ? await servedAs(name) : undefined;
    expect(names).toContain(served);
    expect(deliveredByHttp(target)).toBe(served);
  });

  test.each(['/%zz', '/grub%5cgrub.cfg', '/grub/%2e%2e/grub/grub.cfg', '/%ff', '/a+b?c#d.efi'])(
    '%s is not served by HTTP, and proves nothing',
    async (target) => {
      const name = parseTarget(target);
      expect(typeof name === 'string' ? await servedAs(name) : undefined).toBeUndefined();
      expect(names).not.toContain(deliveredByHttp(target));
    },
  );
});

test('the name that iPXE prints may have spaces', () => {
  const target = '/my%20boot.efi';
  const response = { source: 'wire', type: 'http-response', target, status: 200, port: 80, length: 74213 } as const;
  const line = { source: 'serial', type: 'line', offset: 1, text: 'my boot.efi : 74213 bytes [PXE-NBP]' } as const;
  const deliveries = [response, line].map((event) => ({ tMs: 1, ...event })).map(followDeliveries());
  expect(deliveries).toEqual([undefined, { name: 'my boot.efi', bytes: 74213 }]);
});

test('URLs of names keep to what a URL may hold', () => {
  expect(urlOf('http', '10.0.2.2', 'my boot/50% off.efi')).toBe('http://10.0.2.2/my%20boot/50%25%20off.efi');
  expect(urlOf('tftp', 'fd00::2', 'grub/grub.cfg')).toBe('tftp://[fd00::2]/grub/grub.cfg');
});

describe("iPXE's word for a file that it did not acknowledge over TFTP", () => {
  const oack = {
    source: 'wire',
    type: 'tftp-oack',
    file: '/boot.ipxe',
    port: 2070,
  } as const;
  /** What iPXE's line shows as delivered, after the server's OACK. */
  const said = (text: string, options: Record<string, string> = { tsize: '210' }) => {
    const deliveryIn = followDeliveries();
    deliveryIn({ tMs: 1, ...oack, options });
    return deliveryIn({ tMs: 2, source: 'serial', type: 'line', offset: 1, text });
  };

  test('counts for a script of the length that was said, which may close the device at once', () => {
    expect(said('boot.ipxe : 210 bytes [script]')).toEqual({ name: 'boot.ipxe', bytes: 210 });
  });

  test('counts for no other length, file or kind', () => {
    expect(said('boot.ipxe : 209 bytes [script]')).toBeUndefined();
    expect(said('other.ipxe : 210 bytes [script]')).toBeUndefined();
    expect(said('boot.ipxe : 210 bytes [PXE-NBP]')).toBeUndefined();
  });

  test('counts only where the length was said', () => {
    expect(said('boot.ipxe : 210 bytes [script]', {})).toBeUndefined();
    expect(said('boot.ipxe : 210 bytes [script]', { tsize: 'x' })).toBeUndefined();
  });
});
