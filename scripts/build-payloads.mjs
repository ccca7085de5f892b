#!/usr/bin/env node
// Builds every payload from fixtures/payloads into .build/payloads, for the package.
import { buildAllPayloads } from './payloads/build-payloads.mjs';
import { runScript } from './setup/checkout.mjs';

await runScript(buildAllPayloads);
