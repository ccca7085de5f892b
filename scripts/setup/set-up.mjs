import { buildPayloads } from '../payloads/build-payloads.mjs';
import { makeArtefactSets } from './artefact-sets.mjs';
import { compile } from './compile.mjs';
import { debianPackages, installDebianPackages, testPackages } from './debian-packages.mjs';
import { inspectHost } from './host.mjs';
import { installNpmPackages } from './npm-packages.mjs';

/**
 * Sets up the checkout so that every case, and with `tests` every test, can run. Quick if nothing is missing.
 */
export function setUp({ refresh = false, record = false, tests = false } = {}) {
  installNpmPackages();
  const host = inspectHost();
  installDebianPackages(host, tests ? [...debianPackages, ...testPackages] : debianPackages);
  makeArtefactSets(host, { refresh, record });
  buildPayloads();
  compile();
}
