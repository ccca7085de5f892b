import { expect, it } from 'vitest';
import type { HarnessEvent } from '../../harness/model/events.ts';
import { runRecords } from '../../harness/run/records/run-records.ts';
import { readerOfFile } from './browser.ts';
import { caseAddress, ids, recordedReport, recordedResult, recordedRunDir } from './recorded-report.ts';

const reader = readerOfFile();

const markup = '</script><script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)>';

/** The recorded run with markup wherever text of others comes in. */
async function hostileReport(): Promise<string> {
  const result = recordedResult();
  const one = result.cases.find(({ id }) => id === ids.refused)!;
  one.id = `x'"&=|#${markup}`;
  one.scenario = {
    ...one.scenario,
    title: markup,
    group: markup,
    nic: markup,
    expect: { stopsAt: 'nbp', failure: [{ rule: 'ipxe-error', says: markup }], reason: markup },
  };
  one.verdict = {
    ...one.verdict,
    diagnosis: markup,
    findings: [markup],
    failure: { rule: markup, atMs: 7000, text: markup },
  };
  one.run.inputs = [
    { role: 'nbp', path: `javascript:alert(4)//${markup}`, sha256: markup, bytes: 1, identity: markup },
  ];
  result.matrix = markup;
  result.notes = [markup];
  const known = runRecords(recordedRunDir);
  const events: HarnessEvent[] = [
    { tMs: 1, source: 'serial', type: 'line', offset: 10_000, text: markup },
    {
      tMs: 2,
      source: 'wire',
      type: 'tftp-request',
      file: markup,
      port: 1,
      ipVersion: 4,
      options: { [markup]: markup, __proto__: 'x' },
    },
    {
      tMs: 3,
      source: 'wire',
      type: 'http-response',
      target: markup,
      status: 302,
      port: 80,
      length: 0,
      location: `javascript:alert(5)`,
    },
    { tMs: 4, source: 'qmp', type: 'event', name: markup, data: { [markup]: markup } },
    { tMs: 5, source: 'wire', type: 'malformed', from: 'guest', layer: markup, reason: markup, count: 1 },
  ];
  // Hyperlinks (OSC 8), titles (OSC 0), unfinished sequences, and bytes of no encoding.
  const serial = Buffer.concat([
    Buffer.from(
      `${markup}\r\n\u001b]8;;javascript:alert(6)\u0007link\u001b]8;;\u0007\r\n\u001b]0;${markup}\u0007\u001b[31m${markup}\u001b[0m\r\n`,
    ),
    Buffer.from([0xff, 0x00, 0x1b, 0x5b, 0x3b, 0x1b, 0x5b, 0xb3, 0x0d, 0x0a]),
    Buffer.from('&lt;b&gt; \u202egnp.exe\u202c \u001b[38;2;999;0;0mtruecolour \u001b['),
  ]);
  return recordedReport(result, {
    records: {
      ...known,
      read: (directory) => ({
        ...known.read(directory),
        events,
        serial: { head: serial, leftOut: 0, tail: Buffer.alloc(0) },
      }),
    },
  });
}

const isInert = (page: Awaited<ReturnType<typeof reader.open>>['page']) =>
  page.evaluate(() => ({
    images: document.querySelectorAll('#view img, #view script, #view iframe, [onerror], [onload]').length,
    links: [...document.links].filter((link) => !/^(file|blob):/.test(link.protocol)).map((link) => link.href),
    title: document.title.includes('alert'),
  }));

it('shows markup of guests, matrices and files as the text it is', async () => {
  const html = await hostileReport();
  const { page } = await reader.open(html);
  expect(await page.locator('.cards').innerText()).toContain('<img src=x onerror=alert(2)>');
  expect(await isInert(page)).toEqual({ images: 0, links: [], title: true });

  await page.locator('.case-list a', { hasText: 'onerror' }).click();
  await page.locator('.verdict').waitFor();
  expect(await page.locator('.verdict').innerText()).toContain(markup);
  expect(await page.locator('.transcript').innerText()).toContain(markup);
  await page.locator('.frame summary', { hasText: 'RRQ' }).click();
  await page.getByRole('button', { name: 'Playback' }).click();
  expect(await page.locator('.screen-lines').innerText()).toContain('onerror=alert(2)');
  expect(await isInert(page)).toEqual({ images: 0, links: [], title: true });
});

it('finds markup in the console without becoming it', async () => {
  const { page } = await reader.open(await hostileReport(), caseAddress(`x'"&=|#${markup}`));
  await page.getByRole('searchbox', { name: 'Search the console' }).fill('<img src=x onerror');
  expect(await page.locator('.transcript mark').count()).toBe(2);
  expect(await isInert(page)).toEqual({ images: 0, links: [], title: true });
});

it('runs no script but its own, and makes no HTML of text', async () => {
  const { page, complaints } = await reader.open(await recordedReport());
  const refused = await page.evaluate(() => {
    const script = document.createElement('script');
    try {
      script.text = 'document.title = "taken over"';
    } catch {
      return 'no text becomes a script';
    }
    document.head.append(script);
    return document.title;
  });
  expect(refused).toBe('no text becomes a script');
  await expect(
    page.evaluate(() => {
      document.body.innerHTML = '<b>x</b>';
    }),
  ).rejects.toThrow(/TrustedHTML/);
  await expect(page.evaluate(() => fetch('https://example.net/'))).rejects.toThrow(/fetch/i);
  expect(complaints.some((text) => /Content Security Policy/.test(text))).toBe(true);
  complaints.length = 0;
});

it('takes any address after # without complaint', async () => {
  const html = await recordedReport();
  for (const hash of [
    '#case=',
    '#case=%E0%A4',
    '#compare=x&with=y&attempt=-1',
    '#nic=<img>',
    '#__proto__=1&q=%',
    `#case=${ids.bios}&attempt=99&t=1e99`,
  ]) {
    const { page } = await reader.open(html, hash);
    expect(await page.locator('#main').isVisible()).toBe(true);
  }
});
