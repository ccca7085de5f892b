import './matchers.ts';

export { type BootedCase, type BootScenario, bootCase } from './boot-case.ts';
export { describeMatrix, type MatrixTestOptions } from './describe-matrix.ts';
export type { CaseMatchers, ExpectedStop } from './matchers.ts';
export type { BootOptions } from './test-run.ts';
