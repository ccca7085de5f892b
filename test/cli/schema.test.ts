import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';
import defaultMatrix from '../../scenarios/default.ts';
import { bugReport, documentedJson } from '../documented.ts';
import { netboot } from './netboot.ts';

const inCheckout = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** RFC 3339's full-date, well enough. */
const isDate = (text: string): boolean => !Number.isNaN(Date.parse(text));

/** Of what the command line prints, as an editor or another program's validator takes it. */
async function validatorOf(name: string): Promise<ValidateFunction> {
  const { code, out } = await netboot('schema', name);
  expect(code).toBe(0);
  return new Ajv2020({ allowUnionTypes: true, formats: { ipv4: isIPv4, ipv6: isIPv6, date: isDate } }).compile(
    JSON.parse(out),
  );
}

const validators = new Map<string, ValidateFunction>();
beforeAll(async () => {
  for (const name of ['matrix', 'set', 'results', 'event']) validators.set(name, await validatorOf(name));
});
function errorsOf(name: string, value: unknown) {
  const validate = validators.get(name) as ValidateFunction;
  validate(value);
  return validate.errors ?? [];
}

describe('the schema of a matrix', () => {
  const example = JSON.parse(bugReport());

  it('fits the default matrix and the one in the documentation', () => {
    expect(errorsOf('matrix', defaultMatrix)).toEqual([]);
    expect(errorsOf('matrix', example)).toEqual([]);
  });

  it('may be named in the matrix', () => {
    const named = { $schema: './matrix.schema.json', ...example };
    expect(errorsOf('matrix', named)).toEqual([]);
    expect(parseMatrix(named, 'named').groups).toEqual(parseMatrix(example, 'plain').groups);
  });

  it.each([
    ['an unknown key', { nics: 'e1000' }],
    ['an unknown firmware', { firmware: 'omvf' }],
    ['an empty list', { nic: [] }],
    ['a number for a name', { name: 7 }],
    ['a fault of the network that does nothing', { faults: [{ match: { protocol: 'tftp' } }] }],
    ['a message of another protocol', { faults: [{ match: { protocol: 'tftp', message: 'dta' }, drop: 1 }] }],
    ['a message of no protocol', { faults: [{ match: { message: 'data' }, drop: 1 }] }],
    ['a port of ARP', { faults: [{ match: { protocol: 'arp', port: 67 }, drop: 1 }] }],
    ['a checksum mended of nothing', { faults: [{ mendChecksum: true, drop: 1 }] }],
    ['a fault of a server that does nothing', { faults: [{ server: 'dhcp', of: { first: 1 } }] }],
    ['an OACK with nothing in it', { faults: [{ server: 'tftp', oack: {} }] }],
    ['a length that is off by nothing', { faults: [{ server: 'tftp', lengthOff: 0 }] }],
    ['a time to ask again without a status', { faults: [{ server: 'http', silent: true, retryAfterSeconds: 1 }] }],
  ])('does not fit %s', (_, wrong) => {
    const [group] = example.groups;
    expect(errorsOf('matrix', { ...example, groups: [{ ...group, ...wrong }] })).not.toEqual([]);
  });

  it('knows NICs by the names QEMU gives them, in upper case too', () => {
    const [group] = example.groups;
    expect(errorsOf('matrix', { ...example, groups: [{ ...group, nic: 'i82559ER' }] })).toEqual([]);
  });
});

describe('the schema of set.json', () => {
  const example = JSON.parse(documentedJson('harness/assets/README.md'));

  it('fits the one in the documentation, and may be named in it', () => {
    expect(errorsOf('set', example)).toEqual([]);
    expect(errorsOf('set', { $schema: 'set.schema.json', ...example })).toEqual([]);
  });

  it('does not fit a path that is missing, or a kind that is not', () => {
    expect(errorsOf('set', { ...example, roms: [{ nic: 'e1000', kind: 'snp' }] })).not.toEqual([]);
    expect(errorsOf('set', { ...example, roms: [{ nic: 'e1000', kind: 'snpp', path: 'a' }] })).not.toEqual([]);
  });
});

describe('the schemas of records', () => {
  it('fit the results of a whole default run', () => {
    const results = JSON.parse(readFileSync(inCheckout('fixtures/runs/default/results.json'), 'utf8'));
    expect(errorsOf('results', results)).toEqual([]);
    expect(errorsOf('results', { ...results, wallMs: undefined })).not.toEqual([]);
    const [first, ...others] = results.cases;
    const strange = { ...first, verdict: { ...first.verdict, status: 'fine' } };
    expect(errorsOf('results', { ...results, cases: [strange, ...others] })).not.toEqual([]);
  });

  const logs = inCheckout('fixtures/logs');
  it.each(readdirSync(logs).filter((name) => existsSync(join(logs, name, 'events.jsonl'))))(
    'fit each event of %s',
    (name) => {
      const lines = readFileSync(join(logs, name, 'events.jsonl'), 'utf8')
        .trimEnd()
        .split('\n');
      // Stored logs keep the text of the console in a file of its own.
      const events = lines.map((line) => {
        const event = JSON.parse(line);
        return event.type === 'line' ? { text: '', ...event } : event;
      });
      expect(events.filter((event) => errorsOf('event', event).length > 0)).toEqual([]);
      expect(errorsOf('event', { ...events[0], source: 'hearsay' })).not.toEqual([]);
    },
  );
});

it('what has no schema is refused with the names that have', async () => {
  const { code, err } = await netboot('schema', 'results.json');
  expect(code).toBe(2);
  expect(err).toContain('matrix, set, results, event');
});
