#!/usr/bin/env node
// Runs a campaign: many boots that test the harness itself. `campaign.mjs NAME …`; each has a --help.
import { runScript, SetUpError } from './setup/checkout.mjs';
import { compile } from './setup/compile.mjs';
import { installNpmPackages } from './setup/npm-packages.mjs';

const campaigns = {
  agree: () => import('./campaigns/agree.mjs'),
  crash: () => import('./campaigns/crash.mjs'),
  farm: () => import('./campaigns/farm.mjs'),
  flood: () => import('./campaigns/flood.mjs'),
  hostile: () => import('./campaigns/hostile.mjs'),
  load: () => import('./campaigns/load.mjs'),
  sabotage: () => import('./campaigns/sabotage.mjs'),
  soak: () => import('./campaigns/soak.mjs'),
};

/** A HarnessError is for the user: message and hint, without a stack trace. */
function explained(error) {
  if (error?.name !== 'HarnessError') return error;
  return new SetUpError([error.message, ...(error.hint ? [`hint: ${error.hint}`] : [])].join('\n'), 2);
}

await runScript(async () => {
  const [name, ...argv] = process.argv.slice(2);
  const load = campaigns[name];
  if (load === undefined) {
    const usage = `Usage: npm run -s campaign -- NAME …\nCampaigns, each with its own --help: ${Object.keys(campaigns).join(', ')}`;
    throw new SetUpError(usage, 2);
  }
  installNpmPackages();
  compile();
  try {
    const { run } = await load();
    await run(argv);
  } catch (error) {
    throw explained(error);
  }
});
