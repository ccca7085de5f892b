import { buildPayloads } from '../payloads/build-payloads.mjs';
import { makeArtefactSets } from './artefact-sets.mjs';
import { compile } from './compile.mjs';
import { installDebianPackages } from './debian-packages.mjs';
import { inspectHost } from './host.mjs';
import { installNpmPackages } from './npm-packages.mjs';

/** Brings the checkout to where every case can run; does nothing, quickly, where it is there already. */
export function setUp({ refresh = false, record = false } = {}) {
  installNpmPackages();
  const host = inspectHost();
  installDebianPackages(host);
  makeArtefactSets(host, { refresh, record });
  buildPayloads();
  compile();
}
