#!/usr/bin/env node
// Part of the build: writes the JSON Schemas that the package ships into schemas/.
import { mkdirSync, writeFileSync } from 'node:fs';
import { inCheckout } from './setup/checkout.mjs';

const { jsonSchema, schemaNames } = await import(inCheckout('.build/harness/cli/schemas.js'));
mkdirSync(inCheckout('schemas'), { recursive: true });
for (const name of schemaNames) {
  writeFileSync(inCheckout('schemas', `${name}.json`), `${JSON.stringify(jsonSchema(name), null, 2)}\n`);
}
