// What a user may rely on of the reader in WebAssembly: it reads what `kiln ocr` reads, in Node, in Chromium and from a file.
//
//   node tests/wasm/main.mjs target/release/kiln kiln-reader-VERSION.tgz kiln-reader.html
//
// KILN_DATA has the pages (CONTRIBUTING.md); without it, only drawn ones are read. KILN_NODE_MODULES is as in tests/browser; without
// Chromium and playwright-core there, what needs a browser is left out, and said so. KILN_TIMES=1 prints the time of each file.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { Bench } from './bench.mjs';
import { files, read, sameAsNatively, table } from './pages.mjs';
import { serving } from './server.mjs';

const [binary, tarball, html] = process.argv.slice(2).map(path => resolve(path));
const done = text => console.log(`ok  ${text}`);
/** A timer of a page that stays alive is never later than this, in milliseconds. */
const MAX_GAP = 200;
const times = {};

const support = await import('../browser/support.mjs').catch(error => {
  console.log(`ignored: what needs a browser (${error.message.split('\n')[0]})`);
});

const bench = new Bench(binary);
const pages = files(bench);
const truth = new Map(pages.map(page => [page.name, read(bench, page, times)]));

function compare(where, answers) {
  const differences = pages.map(page => sameAsNatively(`${where}: ${page.name}`, truth.get(page.name), answers[page.name]));
  pages.forEach(page => { (times[page.name] ??= {})[where] = answers[page.name].seconds; });
  const exact = differences.filter(one => one === 0).length;
  done(`${where}: ${pages.length} files give the text of \`kiln ocr\`; ${exact} give the same JSON, and in the others confidences ` +
    `and boxes differ by at most ${Math.max(...differences).toExponential(1)}`);
}

function inNode() {
  const folder = bench.path('node');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent', '--offline', tarball], { cwd: folder });
  copyFileSync(join(import.meta.dirname, 'in_node.mjs'), join(folder, 'in_node.mjs'));
  const input = JSON.stringify(pages);
  const output = execFileSync('node', ['in_node.mjs'], { cwd: folder, input, encoding: 'utf8', maxBuffer: 1 << 28 });
  const { answers, gap, refused } = JSON.parse(output);
  compare('Node', answers);
  assert(gap < MAX_GAP, `a timer was ${gap} ms late`);
  assert.deepEqual(refused, [
    "options.case: found \"small\"; use keep or upper",
    "options: unknown field `colour`, expected one of `name`, `alphabet`, `case`, `context`, `words`, `pages` at line 1 column 9",
    'options.pages: there is no page 2 in image, which has 1',
    'the reader is closed; open another one',
  ]);
  done(`Node: a timer is at most ${gap.toFixed(0)} ms late meanwhile; wrong options are refused in a line`);
  return folder;
}

async function inChromium(folder) {
  const server = await serving([join(folder, 'node_modules', 'kiln-reader'), import.meta.dirname], pages);
  try {
    await bench.browse(support, server.address);
    const page = await bench.site.page();
    await page.goto(server.address + '/in_browser.html');
    const { answers, gap } = await page.evaluate(list => globalThis.readAll(list), pages.map(({ name }) => name));
    compare('Chromium', answers);
    assert(gap < MAX_GAP, `a timer was ${gap} ms late`);
    assert.deepEqual(page.problems, []);
    done(`Chromium: a timer is at most ${gap.toFixed(0)} ms late meanwhile`);
    await page.context().close();
  } finally {
    server.close();
  }
}

async function fromAFile() {
  mkdirSync(bench.path('page'));
  copyFileSync(html, bench.path('page/kiln-reader.html'));
  bench.site.address = 'file://' + bench.path('page');
  const page = await bench.site.page();
  await page.goto(bench.site.address + '/kiln-reader.html');
  await page.getByText('Ready.').waitFor();
  for (const { name, path } of pages) {
    const expected = truth.get(name);
    await page.evaluate(() => { document.getElementById('state').textContent = ''; });
    await page.locator('#file').setInputFiles(path);
    const state = page.locator('#state').filter({ hasText: expected.error ? /^(?!Reading).+/ : /^Read .* in / });
    await state.waitFor();
    if (expected.error) assert.equal((await state.innerText()).trim(), oneSpace(expected.error), name);
    else assert.equal(await page.locator('#text').evaluate(one => one.textContent), expected.text, name);
  }
  done(`a file in a folder, without a server: ${pages.length} files give the text of \`kiln ocr\``);
  await page.evaluate(() => { document.getElementById('state').textContent = ''; });
  await page.locator('#file').setInputFiles(pages[0].path);
  await page.getByText(/^Read /).waitFor();
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the JSON' }).click();
  const json = readFileSync(await (await saved).path(), 'utf8');
  assert.equal(sameAsNatively(pages[0].name, truth.get(pages[0].name), { json, text: truth.get(pages[0].name).text }) < 1e-3, true);
  await bench.site.shoot(page, 'kiln-reader');
  await support.byKeyboard(page, 'kiln-reader');
  assert.deepEqual(page.problems, []);
  done('its page has no fault that axe finds, and can be used with the keyboard');
  await page.context().close();
}

const oneSpace = text => text.replace(/\s+/g, ' ').trim();

try {
  const folder = inNode();
  if (support) {
    await inChromium(folder);
    await fromAFile();
  }
  if (process.env.KILN_TIMES) console.log(table(times));
} finally {
  await bench.end();
}
