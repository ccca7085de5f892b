/** In the order of the help. */
export const commandNames = [
  'run',
  'list',
  'show',
  'repro',
  'judge',
  'report',
  'merge',
  'bundle',
  'compare',
  'bisect',
  'bisect-step',
  'blame',
  'install',
  'doctor',
  'predict',
  'inspect',
  'schema',
  'set',
  'rom',
  'firmware',
] as const;
export type CommandName = (typeof commandNames)[number];
