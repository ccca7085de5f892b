#!/usr/bin/env node
// Bundles the page of report.html: script, style and CSP in one file with a placeholder for the data.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { rolldown } from 'rolldown';
import { inCheckout, runScript, SetUpError } from './setup/checkout.mjs';

const source = (name) => inCheckout('harness/report/html/page', name);
/** Next to the compiled code that reads it, and published with it. */
const target = inCheckout('.build/harness/report/html/page.html');

async function bundle() {
  const build = await rolldown({
    input: source('main.ts'),
    platform: 'browser',
    // Its CommonJS build is the larger one, and what `main` names.
    resolve: {
      alias: { '@xterm/headless': inCheckout('node_modules/@xterm/headless/lib-headless/xterm-headless.mjs') },
    },
  });
  const { output } = await build.generate({ format: 'iife', minify: true });
  await build.close();
  if (output.length !== 1) throw new SetUpError(`report.html: the bundler wrote ${output.length} chunks, expected one`);
  return output[0].code.trim();
}

const sourceOf = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Allows only this script and this style; no network, no HTML made from text. */
const policyFor = ({ script, style }) =>
  [
    "default-src 'none'",
    `script-src ${sourceOf(script)}`,
    `style-src ${sourceOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');

/** Strips comments and indentation. */
const withoutComments = (style) =>
  style
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s+/gm, '')
    .trim();

await runScript(async () => {
  const script = await bundle();
  const style = withoutComments(readFileSync(source('page.css'), 'utf8'));
  if (/<\/script|<!--/i.test(script))
    throw new SetUpError('report.html: the script contains </script or <!--, which HTML would parse');
  const values = { policy: policyFor({ script, style }), style, script };
  const page = readFileSync(source('page.html'), 'utf8').replace(
    /\{\{(policy|style|script)\}\}/g,
    (_, name) => values[name],
  );
  mkdirSync(dirname(target), { recursive: true });
  // Written aside and renamed: concurrent builds do not corrupt it.
  writeFileSync(`${target}.${process.pid}`, page);
  renameSync(`${target}.${process.pid}`, target);
});
