import { buildPayloads } from '../payloads/build-payloads.mjs';
import { makeArtefactSets } from './artefact-sets.mjs';
import { compile } from './compile.mjs';
import { debianPackages, installDebianPackages, testPackages } from './debian-packages.mjs';
import { inspectHost } from './host.mjs';
import { installNpmPackages } from './npm-packages.mjs';

/**
 * Brings the checkout to where every case can run, and with `tests` every test; does nothing, quickly, where it is there
 * already.
 */
export function setUp({ refresh = false, record = false, tests = false } = {}) {
  installNpmPackages();
  const host = inspectHost();
  installDebianPackages(host, tests ? [...debianPackages, ...testPackages] : debianPackages);
  makeArtefactSets(host, { refresh, record });
  buildPayloads();
  compile();
}
