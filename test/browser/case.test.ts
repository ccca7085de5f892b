import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { readerOfFile } from './browser.ts';
import { caseAddress, ids, recordedReport, recordedResult } from './recorded-report.ts';

const reader = readerOfFile();
const report = await recordedReport();

const openCase = (id: string, more = '') => reader.open(report, caseAddress(id, more));

it('shows verdict, diagnosis and expectation of the case that a link names', async () => {
  const { page } = await openCase(ids.refused);
  expect(await page.locator('h1').innerText()).toMatch(/failed\s+Stopped at config/i);
  const verdict = await page.locator('.verdict').innerText();
  expect(verdict).toContain(ids.refused);
  expect(verdict).toContain('last seen: "Verification failed: (0x1A) Security');
  expect(verdict).toContain('Expected: reaches its last stage');
  expect(await page.locator('.stages li').allInnerTexts()).toEqual(
    expect.arrayContaining([expect.stringMatching(/nbp\n.*s/), 'config\nnot reached', 'userspace\n–']),
  );
});

it('says so where there is no such case', async () => {
  const { page } = await openCase('no-such-case');
  expect(await page.locator('#main').innerText()).toContain('No case of this run has the id no-such-case.');
});

it('lays stages, DHCP, transfers, console and machine under one time axis, waits among them', async () => {
  const { page } = await openCase(ids.linux);
  const labels = await page.locator('.axis-drawing text').allTextContents();
  expect(labels).toEqual(expect.arrayContaining(['stages', 'DHCP', 'transfers', 'console', 'machine']));
  expect(labels).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^\d\.\d s of waiting for offers$/),
      expect.stringMatching(/^linux 33\.0 MB, [\d.]+ MB\/s$/),
      expect.stringMatching(/^\d\.\d s quiet$/),
    ]),
  );
});

it('scrolls console and frames to the moment that is pointed at, and links to one that is chosen', async () => {
  const { page } = await openCase(ids.linux);
  const slider = page.getByRole('slider', { name: 'Moment of the boot' });
  const now = page.locator('.transcript .line.now');
  const atEnd = await now.innerText();
  await slider.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('PageDown');
  await expect.poll(() => new URL(page.url()).hash).toMatch(/&t=\d+$/);
  await slider.hover({ position: { x: 300, y: 60 } });
  expect(await now.innerText()).not.toBe(atEnd);
  const [line, box] = await Promise.all([now.boundingBox(), page.locator('.transcript').boundingBox()]);
  expect(line!.y).toBeGreaterThanOrEqual(box!.y);
  expect(line!.y).toBeLessThan(box!.y + box!.height);
  expect(await page.locator('.frame.now').count()).toBe(1);
  expect(await page.locator('.axis-readout').innerText()).toMatch(/^\d+\.\d{3} s /);

  const moment = 'PXE over IPv4';
  await page.locator('.transcript .line', { hasText: moment }).first().click();
  const value = Number(await slider.getAttribute('aria-valuenow'));
  const linked = await openCase(ids.linux, `&t=${value}`);
  expect(await linked.page.locator('.transcript .line.now').innerText()).toContain(moment);
});

it('enlarges the part of the time that is dragged over', async () => {
  const { page } = await openCase(ids.linux);
  const scale = () => page.locator('.axis-drawing .scale').allTextContents();
  const whole = await scale();
  const box = (await page.locator('.axis-slider').boundingBox())!;
  await page.mouse.move(box.x + 200, box.y + 80);
  await page.mouse.down();
  await page.mouse.move(box.x + 300, box.y + 80);
  await page.mouse.up();
  expect(await scale()).not.toEqual(whole);
  await page.getByRole('button', { name: 'Show all' }).click();
  expect(await scale()).toEqual(whole);
});

it('shows the console in its colours and boxes, the characters of code page 437 among them', async () => {
  const { page } = await openCase(ids.refused);
  const text = await page.locator('.transcript').innerText();
  expect(text).toContain('Verification failed: (0x1A) Security');
  expect(text).toMatch(/┌─{20,}/);
  const box = page.locator('.transcript .line', { hasText: 'ERROR' }).locator('.b4').first();
  expect(await box.evaluate((element) => getComputedStyle(element).backgroundColor)).toBe('rgb(29, 63, 145)');
  expect(await page.locator('.transcript .line.failure').innerText()).toContain('Verification failed');
});

it('finds text in the console, match after match', async () => {
  const { page } = await openCase(ids.linux);
  await page.keyboard.press('/');
  await page.keyboard.type('ipxe');
  expect(await page.locator('.match-count').innerText()).toMatch(/^1\/\d+$/);
  const count = Number((await page.locator('.match-count').innerText()).split('/')[1]);
  expect(await page.locator('.transcript mark').count()).toBe(count);
  await page.keyboard.press('Enter');
  expect(await page.locator('.match-count').innerText()).toBe(`2/${count}`);
  const [mark, box] = await Promise.all([
    page.locator('mark.current').boundingBox(),
    page.locator('.transcript').boundingBox(),
  ]);
  expect(mark!.y).toBeGreaterThanOrEqual(box!.y);
  expect(mark!.y).toBeLessThan(box!.y + box!.height);
  await page.getByRole('searchbox', { name: 'Search the console' }).fill('not there at all');
  expect(await page.locator('.match-count').innerText()).toBe('nothing');
});

it('plays the console back to its end, and shows any moment of it', async () => {
  const { page } = await openCase(ids.bios);
  await page.getByRole('button', { name: 'Playback' }).click();
  const screen = page.locator('.screen-lines');
  const position = page.getByRole('slider', { name: /Moment of the playback/ });
  await position.fill('0');
  expect((await screen.innerText()).trim()).toBe('');
  await page.locator('.transport select').selectOption('8');
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
  expect(await screen.innerText()).toContain('netboot-ok:');
  expect(await position.inputValue()).toBe(await position.getAttribute('max'));
  await position.fill('1500');
  await expect.poll(() => screen.innerText()).not.toContain('netboot-ok:');
  expect(await screen.innerText()).toContain('SeaBIOS');
});

it('saves the console as a recording for asciinema', async () => {
  const { page } = await openCase(ids.bios);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save .cast' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(`${ids.bios}.cast`);
  const [header, ...lines] = (await readFile(await download.path(), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(header).toMatchObject({ version: 2, width: 80, height: 25, title: ids.bios });
  expect(
    lines.every(([time, kind, text]) => typeof time === 'number' && kind === 'o' && typeof text === 'string'),
  ).toBe(true);
  expect(lines.map(([, , text]) => text).join('')).toContain('netboot-ok:');
});

it('lists frames with DHCP options by name', async () => {
  const { page } = await openCase(ids.refused);
  const discover = page.locator('.frame', { hasText: 'DISCOVER' }).first();
  await discover.locator('summary').click();
  const fields = await discover.locator('.fields').innerText();
  expect(fields).toMatch(/93 client architecture\s+7 \(x64 UEFI\)/);
  expect(fields).toMatch(/60 vendor class\s+PXEClient:Arch:00007/);
  const frames = page.locator('.frames .frame');
  const all = await frames.count();
  await page.locator('.frames-panel .chip', { hasText: 'DHCP' }).click();
  expect(await frames.count()).toBeLessThan(all);
  expect(await page.locator('.frames').innerText()).not.toContain('DISCOVER');
});

it('names inputs by package and SHA-256, and the commands that run the case again', async () => {
  const { page } = await openCase(ids.refused);
  const { inputs } = recordedResult().cases.find(({ id }) => id === ids.refused)!.run;
  const text = await page.locator('.inputs').innerText();
  for (const { sha256, package: origin } of inputs) {
    expect(text).toContain(sha256);
    if (origin) expect(text).toContain(`${origin.name} ${origin.version}`);
  }
  const commands = await page.locator('.command pre').allInnerTexts();
  expect(commands[0]).toBe(`netboot repro /runs/recorded/cases/${ids.refused}`);
  expect(commands[1]).toMatch(/^qemu-system-x86_64 .* -serial mon:stdio .* -netdev user,id=net0 /);
  expect(commands[1]).not.toContain('fd=');
});

it('copies a command', async () => {
  const { page } = await reader.open(report, caseAddress(ids.bios), {
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await page.getByRole('button', { name: /^Copy: The same case/ }).click();
  await page
    .getByRole('button', { name: /^Copy: The same case/ })
    .getByText('Copied')
    .waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    `netboot repro /runs/recorded/cases/${ids.bios}`,
  );
});

it('shows each attempt, and two of them side by side, cut at the same stages', async () => {
  const { page } = await openCase(ids.refused);
  await page.getByRole('navigation', { name: 'Attempts' }).getByRole('link', { name: 'Attempt 2' }).click();
  await expect.poll(() => new URL(page.url()).hash).toContain('&attempt=2');
  expect(await page.locator('[aria-current="true"]').innerText()).toContain('Attempt 2');
  expect(await page.locator('.stages li.stopped').innerText()).toContain('config');
  await page.getByRole('link', { name: 'side by side' }).click();
  await page.locator('.comparison').waitFor();
  expect(await page.locator('.section-head h3').allInnerTexts()).toEqual([
    'firmware',
    'dhcp',
    'nbp-fetch',
    'nbp',
    'after that',
  ]);
  const last = page.locator('.section-sides').last().locator('.console');
  expect(await last.allInnerTexts()).toEqual([
    expect.stringContaining('Verification failed'),
    expect.stringContaining('Verification failed'),
  ]);
});

it('compares two cases, and marks what only one of them printed', async () => {
  const { page } = await openCase(ids.bios);
  await page.getByRole('combobox', { name: 'Case to compare with' }).fill(ids.linux);
  await page.getByRole('button', { name: 'Compare' }).click();
  await page.locator('.comparison').waitFor();
  const alone = await page.locator('.line.alone').allInnerTexts();
  expect(alone.join('\n')).toContain('SeaBIOS');
  expect(alone.join('\n')).toContain('Run /init as init process');
});

it('goes to the next case and the one before by key', async () => {
  const { page } = await openCase(ids.bios);
  const id = () => page.locator('.case-id').innerText();
  await page.keyboard.press('j');
  await expect.poll(id).not.toBe(ids.bios);
  await page.keyboard.press('k');
  await expect.poll(id).toBe(ids.bios);
});

it('turns dark and light by its button, whatever the system has', async () => {
  const { page } = await reader.open(report, '', { colorScheme: 'dark' });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.getByRole('button', { name: /^Colours/ }).click();
  expect(await page.getByRole('button', { name: /^Colours/ }).innerText()).toContain('light');
  expect(await ground()).not.toBe(dark);
});

it('prints a case whole: nothing is hidden in a panel that scrolls', async () => {
  const { page } = await openCase(ids.linux);
  await page.emulateMedia({ media: 'print' });
  const cut = await page.evaluate(
    () =>
      [...document.querySelectorAll('.transcript, .frames')].filter((one) => one.scrollHeight > one.clientHeight + 1)
        .length,
  );
  expect(cut).toBe(0);
  expect(await page.locator('#tools').isVisible()).toBe(false);
});
