import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { failureLastsMs, openAcceleratorAnswers, type Question } from '../../harness/vm/accelerator-answers.ts';
import { recordedRun } from '../judge/recorded-run.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder: string;
let file: string;
folderOfTest((made) => {
  folder = made;
  file = join(folder, 'acceleration.json');
  vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const { plan } = recordedRun('uefi-no-rom');
const question: Question = { plan, qemu: { program: 'qemu-system-x86_64', version: '7.2.22' }, accel: 'kvm' };
const firmware = plan.inputs.find(({ role }) => role === 'firmware-code')?.path;

describe('what became of an accelerator with a firmware', () => {
  it('is known to later runs, with what it was tried on', async () => {
    await openAcceleratorAnswers(file).set(question, false, 'it stopped the guest');
    const later = openAcceleratorAnswers(file);
    expect(later.get(question)).toMatchObject({ works: false, reason: 'it stopped the guest' });
    expect(later.failures()).toEqual([
      {
        accel: 'kvm',
        qemu: 'qemu-system-x86_64 7.2.22',
        firmware,
        works: false,
        reason: 'it stopped the guest',
        atMs: Date.now(),
      },
    ]);
  });

  it('is another matter with another QEMU, CPU model or firmware', async () => {
    const answers = openAcceleratorAnswers(file);
    await answers.set(question, false, 'it stopped the guest');
    expect(answers.get({ ...question, qemu: { ...question.qemu, version: '10.0.0' } })).toBeUndefined();
    expect(
      answers.get({ ...question, plan: { ...plan, qemu: { ...plan.qemu, cpu: { kvm: 'max' } } } }),
    ).toBeUndefined();
    const inputs = plan.inputs.map((input) => ({ ...input, sha256: '00' }));
    expect(answers.get({ ...question, plan: { ...plan, inputs } })).toBeUndefined();
  });

  it('holds for a day where it failed, and then is tried again', async () => {
    await openAcceleratorAnswers(file).set(question, false, 'it stopped the guest');
    vi.setSystemTime(Date.now() + failureLastsMs - 1);
    expect(openAcceleratorAnswers(file).get(question)).toBeDefined();
    vi.setSystemTime(Date.now() + 1);
    expect(openAcceleratorAnswers(file).get(question)).toBeUndefined();
    expect(openAcceleratorAnswers(file).failures()).toEqual([]);
    expect(failureLastsMs).toBe(86_400_000);
  });

  it('holds for good where it worked', async () => {
    await openAcceleratorAnswers(file).set(question, true, 'a probe boot worked');
    vi.setSystemTime(Date.now() + 1_000 * failureLastsMs);
    expect(openAcceleratorAnswers(file).get(question)).toMatchObject({ works: true });
    expect(openAcceleratorAnswers(file).failures()).toEqual([]);
  });
});
