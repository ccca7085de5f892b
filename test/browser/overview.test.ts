import { expect, it } from 'vitest';
import { comparePairs } from '../../harness/compare/compare.ts';
import { joinRuns } from '../../harness/compare/join.ts';
import { readerOfFile } from './browser.ts';
import { ids, recordedReport, recordedResult } from './recorded-report.ts';

const reader = readerOfFile();
const report = await recordedReport();

const squares = '.grid a.square';

it('says first how the run went, and what did not do as expected and why', async () => {
  const { page } = await reader.open(report);
  expect(await page.title()).toBe('2 not as expected · report-fixture');
  expect(await page.locator('h1').textContent()).toBe('2 of 6 did not do as expected');
  expect(await page.locator('.headline .counts').innerText()).toMatch(
    /2\s*failed[\s\S]*3\s*booted[\s\S]*1\s*stopped[\s\S]*1\s*not run/,
  );
  const cards = page.locator('.trouble');
  const refused = cards.filter({ hasText: '1 case stops at config' });
  expect(await refused.innerText()).toContain('Secure Boot refused to run what was loaded');
  expect(await refused.innerText()).toContain('secure-boot-refused');
  expect(await cards.filter({ hasText: '1 case goes further than expected' }).innerText()).toContain(ids.tooFar);
  const box = await cards.first().boundingBox();
  expect(box?.y).toBeLessThan(400);
});

it('shows every case as a square of the grid, by NIC and ROM, with its outcome in words', async () => {
  const { page } = await reader.open(report);
  expect(await page.locator(squares).count()).toBe(7);
  expect(await page.locator('.grid th.nic').allInnerTexts()).toEqual(['e1000', 'rtl8139', 'virtio-net-pci']);
  expect(await page.locator(`${squares}.failed`).first().getAttribute('aria-label')).toMatch(/: failed/);
  expect(await page.getByRole('link', { name: `${ids.stopped}: stopped at dhcp` }).count()).toBe(1);
});

it('goes from square to square by arrow keys, as one stop of the Tab key', async () => {
  const { page } = await reader.open(report);
  expect(await page.locator(`${squares}[tabindex="0"]`).count()).toBe(1);
  await page.locator(`${squares}[tabindex="0"]`).focus();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
  const first = await focused();
  await page.keyboard.press('ArrowRight');
  const second = await focused();
  await page.keyboard.press('ArrowLeft');
  expect(second).not.toBe(first);
  expect(await focused()).toBe(first);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.locator('.verdict').waitFor();
});

it('filters by outcome, by axis and by words, keeps the choice in the address, and follows such an address', async () => {
  const { page } = await reader.open(report);
  const count = () => page.locator(squares).count();
  await page.locator('.chip.failed').click();
  expect(await count()).toBe(2);
  await page.locator('.axis-filter summary', { hasText: 'NIC' }).click();
  await page.locator('.axis-filter[open] label', { hasText: 'virtio-net-pci' }).click();
  expect(await count()).toBe(1);
  expect(await page.locator('.shown-count').innerText()).toBe('1 of 7 cases');
  const address = new URL(page.url()).hash;
  expect(address).toBe('#outcome=failed&nic=virtio-net-pci');
  await page.getByRole('button', { name: 'Clear filters' }).click();
  expect(await count()).toBe(7);
  await page.locator('.filter-text').fill('secure boot REFUSED');
  expect(await count()).toBe(1);
  await page.locator('.filter-text').fill('no such words');
  expect(await page.locator('.results').innerText()).toBe('No case has all of that.');

  const again = await reader.open(report, address);
  expect(await again.page.locator(squares).count()).toBe(1);
});

it('comes back from a case to where it was left', async () => {
  const { page } = await reader.open(report, '#nic=e1000');
  await page.locator('.case-list a', { hasText: 'bios-ipxe-rom' }).click();
  await page.locator('.verdict').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.overview').waitFor();
  expect(new URL(page.url()).hash).toBe('#nic=e1000');
  expect(await page.locator(squares).count()).toBe(4);
});

it('shows the six configurations per architecture, and leads to the cases of one', async () => {
  const { page } = await reader.open(report);
  const row = page.locator('.configurations tbody tr').nth(1);
  expect(await row.innerText()).toMatch(/legacy BIOS, full iPXE[\s\S]*1 failed[\s\S]*2 booted/);
  await row.getByRole('link').click();
  await expect.poll(() => page.locator(squares).count()).toBe(3);
});

it('lists cases, sorted by any column', async () => {
  const { page } = await reader.open(report);
  const first = () => page.locator('.case-list tbody tr').first().innerText();
  expect(await first()).toMatch(/^failed/);
  await page.getByRole('button', { name: 'Time' }).click();
  await page.getByRole('button', { name: 'Time' }).click();
  const [slowest] = recordedResult().cases.sort((a, b) => b.run.durationMs - a.run.durationMs);
  expect(await first()).toContain(slowest!.id);
  expect(await page.locator('.case-list th[aria-sort="descending"]').innerText()).toContain('Time');
});

it('says why cases were not run', async () => {
  const { page } = await reader.open(report);
  const reason = page.locator('.reason');
  expect(await reason.innerText()).toContain('no such ROM (snp, e1000, aarch64)');
  await reason.locator('summary').click();
  await reason.getByRole('link').click();
  expect(await page.locator('.verdict').innerText()).toContain('Not run');
});

it('begins with what changed where it was compared with an earlier run', async () => {
  const now = recordedResult();
  const before = structuredClone(now);
  const bios = before.cases.find(({ id }) => id === ids.tooFar)!;
  bios.verdict = {
    ...bios.verdict,
    stoppedAt: 'dhcp',
    failure: { rule: 'seabios-no-boot', atMs: 1, text: 'No bootable device.' },
  };
  const comparisons = [comparePairs(joinRuns(before, now))];
  const html = await recordedReport(now, { comparisons });
  const { page } = await reader.open(html);
  const section = page.locator('.comparison-section');
  expect(await section.innerText()).toMatch(/What changed[\s\S]*1 boots now[\s\S]*bios-expected-to-stop/);
  const [changes, trouble] = await Promise.all([section.boundingBox(), page.locator('.trouble').first().boundingBox()]);
  expect(changes!.y).toBeLessThan(trouble!.y);
});

it('has a page of its own width on a phone', async () => {
  const { page } = await reader.open(report, '', { viewport: { width: 375, height: 740 } });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
});
