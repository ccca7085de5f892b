#!/usr/bin/env node
// Builds the payloads from fixtures/payloads into .cache/payloads.
import { buildPayloads } from './payloads/build-payloads.mjs';
import { runScript } from './setup/checkout.mjs';

await runScript(buildPayloads);
