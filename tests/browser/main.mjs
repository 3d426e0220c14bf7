// What a user may rely on in a browser: `node tests/browser/main.mjs target/release/kiln`. KILN_SCREENSHOTS=DIR keeps pictures.

import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Site, byKeyboard } from './support.mjs';

const repository = join(import.meta.dirname, '..', '..');
const site = new Site(process.argv[2] ?? join(repository, 'target', 'release', 'kiln'));
/** Enough for training to go on while the page is opened. */
const EPOCHS = 40;
/** People put all their settings into names. */
const LONG = 'all_settings_' + 'lr0.003-batch128_'.repeat(4) + 'b'.repeat(90);
const done = text => console.log(`ok  ${text}`);

async function trainsLive() {
  copyFileSync(join(repository, 'configs', 'glyphs_mlp.json'), site.path('glyphs_mlp.json'));
  const small = ['data.train=1440', 'data.valid=360', 'data.test=360', 'training.epochs=3'].flatMap(one => ['--set', one]);
  for (const name of ['first', LONG]) site.kiln('train', 'glyphs_mlp.json', '--run-dir', 'runs/' + name, ...small);
  await site.serve();
  const page = await site.page();
  await page.goto(site.address + '/');
  await page.getByRole('link', { name: 'first' }).waitFor();
  done('the list of runs appears');
  const training = site.begin('train', 'glyphs_mlp.json', '--run-dir', 'runs/glyphs', '--set', `training.epochs=${EPOCHS}`);
  const over = new Promise(resolve => training.on('exit', resolve));
  await page.getByRole('link', { name: 'glyphs' }).waitFor();
  done('a run that begins appears in the list');
  await page.goto(site.address + '/runs/glyphs');
  const epochs = async () => Number((await page.locator('.card', { hasText: 'Epochs' }).first().innerText()).match(/(\d+) of/)?.[1] ?? 0);
  const seen = new Set();
  while (!seen.has(EPOCHS)) {
    seen.add(await epochs());
    await page.waitForTimeout(100);
  }
  assert(seen.size > 3, `only epochs ${[...seen]} were seen`);
  await page.locator('.card dd', { hasText: 'finished' }).waitFor();
  await over;
  done(`its points appear while another process trains it (epochs ${[...seen].join(', ')})`);
  await site.shoot(page, 'run');
  await byKeyboard(page, 'run');
  await page.goto(site.address + '/?sort=valid');
  await page.waitForTimeout(300);
  await site.shoot(page, 'runs');
  await byKeyboard(page, 'runs');
  for (const name of ['first', 'glyphs']) await page.getByRole('checkbox', { name: 'compare ' + name }).check();
  await page.waitForTimeout(2500);
  await page.getByRole('button', { name: /Compare/ }).click();
  await page.waitForURL(/compare\?run=.*&run=/);
  assert(await page.getByText('data.train').count() > 0, 'the settings that differ');
  await site.shoot(page, 'compare');
  for (const address of ['/runs/' + LONG, `/compare?run=first&run=${LONG}`, `/read?run=${LONG}`]) {
    await page.goto(site.address + address);
    await site.shoot(page, 'long' + address.split(/[/?]/)[1]);
  }
  done('long names fit on every page');
  done('runs lie over each other, with the settings that differ, at an address');
  await page.context().close();
}

async function connectsAgain() {
  const page = await site.page();
  let asked = 0;
  await page.route('**/events', route => (asked++ ? route.continue() : route.fulfill({ status: 429 })));
  await page.goto(site.address + '/runs/first');
  for (let waited = 0; asked < 2 && waited < 100; waited++) await page.waitForTimeout(100);
  assert(asked >= 2, 'the events are not asked for again');
  done('a page whose event stream was refused asks for it again');
  await page.context().close();
}

async function showsMistakes() {
  const page = await site.page();
  await page.goto(site.address + '/runs/glyphs/mistakes');
  const cell = page.getByRole('link', { name: /^I predicted as 1: / });
  await cell.waitFor();
  const count = Number((await cell.innerText()).trim());
  await cell.focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/truth=I&predicted=1/);
  const tiles = page.locator('.tile');
  assert.equal(await tiles.count(), count);
  await page.locator('.tile img').first().evaluate(image => image.complete || new Promise(loaded => image.addEventListener('load', loaded)));
  assert(await page.locator('.tile img').first().evaluate(image => image.naturalWidth > 0));
  const values = (await page.locator('.tile .note:not(.name)').allInnerTexts()).map(parseFloat);
  assert.deepEqual(values, [...values].sort((a, b) => b - a));
  await site.shoot(page, 'mistakes');
  done(`the cell I/1 shows its ${count} images, the most certain first`);
  await page.context().close();
}

async function reads() {
  const lines = ['HELLO WORLD', 'FROM KILN 734'];
  site.kiln('data', 'page', '--text', lines.join('\n'), 'drawn.png');
  const page = await site.page();
  await page.goto(site.address + '/read');
  await site.shoot(page, 'read-empty');
  await byKeyboard(page, 'read-empty');
  // Dropped as from a desktop.
  const bytes = [...readFileSync(site.path('drawn.png'))];
  const drop = async () => {
    const data = await page.evaluateHandle(bytes => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], 'drawn.png', { type: 'image/png' }));
      return data;
    }, bytes);
    await page.dispatchEvent('#drop', 'drop', { dataTransfer: data });
    await page.locator('#text:not(:empty)').waitFor();
  };
  await drop();
  assert.equal(await page.locator('#text').innerText(), lines.join('\n'));
  done('a dropped page reads as its truth');
  await site.shoot(page, 'read');
  await byKeyboard(page, 'read');
  // The second letter becomes another one, with the mouse and the keyboard.
  await page.locator('svg .letter').nth(1).click();
  assert(await page.locator('#guesses button').count() >= 2);
  await page.keyboard.type('3');
  assert((await page.locator('#text').innerText()).startsWith('H3LLO'));
  await page.reload();
  await drop();
  assert((await page.locator('#text').innerText()).startsWith('H3LLO'), 'the correction is kept');
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save corrections' }).click();
  const file = await (await saved).path();
  const review = JSON.parse(readFileSync(file, 'utf8'));
  assert.deepEqual(review['drawn.png'], ['H3LLO WORLD', 'FROM KILN 734']);
  assert.equal(review.kiln_review['drawn.png'][1].text, '3');
  const scored = JSON.parse(site.kiln('ocr', 'drawn.png', '--json', '--expect', file));
  assert.equal(scored.score.characters.distance, 1);
  done('a corrected letter stays, and is saved as `kiln ocr --expect` reads it');
  for (const format of ['text', 'json', 'hocr', 'alto', 'tsv', 'pdf']) {
    const taken = page.waitForEvent('download');
    await page.getByRole('button', { name: format, exact: true }).click();
    const got = readFileSync(await (await taken).path());
    if (format !== 'pdf') assert.equal(got.toString(), site.kiln('ocr', 'drawn.png', '--format', format), format);
    else assert(got.subarray(0, 5).toString() === '%PDF-');
  }
  done('every format can be taken along');
  assert.deepEqual(page.problems, []);
  await page.context().close();
}

async function classifies() {
  site.kiln('data', 'page', '--text', 'K', 'letter.png');
  const page = await site.page();
  await page.goto(site.address + '/classify?run=glyphs');
  assert.equal(await page.locator('select[name=run]').inputValue(), 'glyphs');
  await page.locator('#file').setInputFiles(site.path('letter.png'));
  await page.locator('#answers li li b').first().waitFor();
  const expected = JSON.parse(site.kiln('predict', 'runs/glyphs', 'letter.png', '--json'))[0].guesses[0].class;
  assert.equal(await page.locator('#answers li li b').first().innerText(), expected);
  await site.shoot(page, 'classify');
  await byKeyboard(page, 'classify');
  done('a chosen image shows its classes');
  await page.context().close();
}

try {
  await trainsLive();
  await connectsAgain();
  await showsMistakes();
  await reads();
  await classifies();
} finally {
  await site.end();
}
