import { expect, it } from 'vitest';
import { junitXml } from '../../harness/report/junit.ts';
import { failedCase, invocation, notRunCase, sampleCase, sampleRun, stoppedCase } from './sample-run.ts';

/** Strict enough for what the writer may emit: declaration, elements, quoted attributes, text; throws on anything else. */
function parseXml(xml: string): { name: string; attributes: Record<string, string>; text: string; depth: number }[] {
  const decode = (text: string) =>
    text.replace(/&(?:#(\d+)|(\w+));/g, (_, number, name) =>
      number ? String.fromCodePoint(Number(number)) : { amp: '&', lt: '<', gt: '>', quot: '"' }[name as 'amp']!,
    );
  if (/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.test(xml))
    throw new Error('forbidden character');
  const elements: ReturnType<typeof parseXml> = [];
  const open: (typeof elements)[number][] = [];
  const token = /<\?xml[^?]*\?>|<\/([\w-]+)>|<([\w-]+)((?: [\w-]+="[^"<]*")*)(\/?)>|([^<]+)/gy;
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex;
    const match = token.exec(xml);
    if (!match) throw new Error(`not well formed at ${xml.slice(at, at + 60)}`);
    const [, closing, name, attributes = '', empty, text] = match;
    if (closing !== undefined) {
      if (open.pop()?.name !== closing) throw new Error(`unbalanced ${closing}`);
    } else if (name !== undefined) {
      const pairs = [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key, decode(value!)]);
      const element = { name, attributes: Object.fromEntries(pairs), text: '', depth: open.length };
      elements.push(element);
      if (!empty) open.push(element);
    } else if (text !== undefined) {
      if (/&(?!(amp|lt|gt|quot|#\d+);)/.test(text)) throw new Error('bare ampersand');
      const parent = open.at(-1);
      if (parent) parent.text += decode(text);
    }
  }
  if (open.length > 0) throw new Error('unclosed');
  return elements;
}

const flaky = sampleCase({ id: 'f', verdict: { status: 'flaky' } });
const error = sampleCase({
  id: 'e',
  verdict: { status: 'error', diagnosis: 'The harness could not tell: disk full' },
});
const run = sampleRun([sampleCase(), stoppedCase, failedCase, notRunCase, flaky, error]);

it('has a suite per group and a testcase per case', () => {
  const elements = parseXml(junitXml(run, invocation));
  expect(elements[0]).toMatchObject({
    name: 'testsuites',
    attributes: { name: 'sample', tests: '6', failures: '2', errors: '1', skipped: '1', time: '12.000' },
  });
  expect(elements.filter(({ name }) => name === 'testsuite').map(({ attributes }) => attributes.name)).toEqual([
    'bios',
    'uefi',
    'arm',
  ]);
  expect(elements.filter(({ name }) => name === 'testcase')).toHaveLength(6);
});

it('a failure has diagnosis, expectation, stages and the command; not run is skipped; error is error; flaky fails', () => {
  const elements = parseXml(junitXml(run, invocation));
  const failures = elements.filter(({ name }) => name === 'failure');
  expect(failures.map(({ attributes }) => attributes.type)).toEqual(['seabios-no-boot', 'flaky']);
  expect(failures[0]?.attributes.message).toBe(failedCase.verdict.diagnosis);
  expect(failures[0]?.text).toContain('expected: reaches its last stage');
  expect(failures[0]?.text).toContain('dhcp: not reached');
  expect(failures[0]?.text).toContain('again: netboot repro /out/cases/');
  expect(elements.find(({ name }) => name === 'skipped')?.attributes.message).toBe('no such ROM in set host');
  expect(elements.find(({ name }) => name === 'error')?.attributes.message).toContain('disk full');
});

it('stays well formed whatever a guest prints', () => {
  const hostile = `]]> <a b="c">&amp; ' \u0000\u0008\u001b[31m \ud800 \uffff \u{1f4a5}\r\n\t"`;
  const one = sampleCase({
    scenario: { group: hostile },
    verdict: {
      status: 'failed',
      diagnosis: hostile,
      failure: { rule: 'ipxe-error', atMs: 1, text: hostile },
      findings: [hostile],
      stages: [{ stage: 'firmware', reached: true, atMs: 1, evidence: hostile }],
    },
  });
  const elements = parseXml(junitXml(sampleRun([one], { matrix: hostile }), invocation));
  const message = elements.find(({ name }) => name === 'failure')?.attributes.message;
  expect(message).toContain(`]]> <a b="c">&amp; '`);
  expect(message).toContain('\u{1f4a5}\r\n\t"');
});
