// Puts the page into one file: `node build.mjs GLUE.js MODULE.wasm VERSION OUT.html`, where GLUE.js is what wasm-bindgen makes for
// `no-modules`.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const [glue, module, version, out] = process.argv.slice(2);
const text = (...parts) => readFileSync(join(import.meta.dirname, ...parts), 'utf8');
/** A module as part of another script. */
const inlined = script => script.replace(/^import .*$/gm, '').replace(/^export /gm, '');
/** `</script` would end the element that a script is in. */
const safe = script => script.replaceAll('</script', '<\\/script');
const parts = {
  STYLE: text('page.css'),
  VERSION: version,
  MODULE: gzipSync(readFileSync(module), { level: 9 }).toString('base64'),
  WORKER: safe([readFileSync(glue, 'utf8'), inlined(text('..', 'engine.js')), text('worker.js')].join('\n')),
  PAGE: safe([inlined(text('..', 'client.js')), text('page.js')].join('\n')),
};
writeFileSync(out, text('page.html').replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name]));
