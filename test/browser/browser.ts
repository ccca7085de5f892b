import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

function findBrowser(): string {
  const candidates = (process.env.PATH ?? '').split(':').flatMap((folder) => names.map((name) => join(folder, name)));
  const found = candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error('no Chromium on the search path; Debian: apt-get install chromium');
  return found;
}

interface Opened {
  page: Page;
  /** What must not happen in a report: complaints on the browser's console, and requests for anything but the file. */
  complaints: string[];
}

/** A browser, and a folder in which reports are files as a reader has them. */
interface Reader extends AsyncDisposable {
  /** Opens a report at an address such as `#case=…`; a second report of the same test has the same file name. */
  open(html: string, hash?: string, options?: BrowserContextOptions): Promise<Opened>;
  /** Closes the pages of a test, and fails where one had complaints. */
  endTest(): Promise<void>;
}

async function startReader(): Promise<Reader> {
  const folder = mkdtempSync(join(tmpdir(), 'report-page-'));
  const browser: Browser = await chromium.launch({ executablePath: findBrowser() });
  const file = join(folder, 'report.html');
  let opened: Opened[] = [];
  return {
    async open(html, hash = '', options = {}) {
      writeFileSync(file, html);
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
      const page = await context.newPage();
      const complaints: string[] = [];
      const url = pathToFileURL(file).href;
      page.on('console', (message) => void complaints.push(`${message.type()}: ${message.text()}`));
      page.on('pageerror', (error) => void complaints.push(`error: ${error.message}`));
      page.on('dialog', (dialog) => void complaints.push(`dialog: ${dialog.message()}`));
      page.on('request', (request) => {
        if (!request.url().startsWith(url) && !request.url().startsWith('blob:'))
          complaints.push(`request: ${request.url()}`);
      });
      opened.push({ page, complaints });
      await page.goto(`${url}${hash}`);
      await page.locator('#main').waitFor();
      return { page, complaints };
    },
    async endTest() {
      const ended = opened;
      opened = [];
      for (const { page } of ended) await page.context().close();
      expect(ended.flatMap(({ complaints }) => complaints)).toEqual([]);
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The reader of a test file, in a browser that is started once. */
export function readerOfFile(): Pick<Reader, 'open'> {
  let reader: Reader;
  beforeAll(async () => {
    reader = await startReader();
  });
  afterEach(() => reader.endTest());
  afterAll(() => reader[Symbol.asyncDispose]());
  return { open: (...address) => reader.open(...address) };
}
