// The files that are read, and what `kiln ocr` says about them.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const repository = join(import.meta.dirname, '..', '..');
/** The data sets with pages. */
const SETS = ['hw4-images', 'photos', 'pages'];
/** Of these, what is no image. */
const NO_IMAGE = /^(README\.md|SHA256SUMS|.*\.json)$/;

/** Drawn pages, files that are no images, and those of the data sets; each with its name and path. */
export function files(bench) {
  bench.kiln('data', 'page', '--text', 'HELLO WORLD\nFROM KILN 734', 'drawn.png');
  bench.kiln('data', 'page', '--lower-case', '--text', 'Hello, world!\nIt is 12:30.', 'mixed.png');
  bench.kiln('data', 'page', '--vary', '42', 'varied.png');
  writeFileSync(bench.path('empty.png'), '');
  writeFileSync(bench.path('text.jpg'), 'no image');
  const own = ['drawn.png', 'mixed.png', 'varied.png', 'empty.png', 'text.jpg'].map(name => bench.path(name));
  const data = process.env.KILN_DATA && resolve(repository, process.env.KILN_DATA);
  const found = SETS.flatMap(set => {
    const folder = join(data ?? '', set);
    if (!data || !existsSync(folder)) {
      console.log(`ignored: the files of ${set}, which is not in KILN_DATA`);
      return [];
    }
    return readdirSync(folder).filter(name => !NO_IMAGE.test(name)).sort().map(name => join(folder, name));
  });
  return [...own, ...found].map(path => ({ name: basename(path), path }));
}

/** What `kiln ocr` answers: `{ json, text }` or `{ error }`; its time is that of the process. */
export function read(bench, { name, path }, times) {
  const began = performance.now();
  const { status, stdout, stderr } = bench.tried('ocr', path, '--json');
  times[name] = { kiln: (performance.now() - began) / 1000 };
  // The name of the file is the path here, and the name alone elsewhere.
  const named = text => text.replaceAll(path, name);
  if (status !== 0) return { error: named(stderr.replace(/^error: /, '').trim()) };
  return { json: named(stdout), text: bench.tried('ocr', path).stdout.replaceAll(path, name) };
}

/** Fails unless an answer has the text, or the error, of `kiln ocr`; returns the greatest difference of numbers in its JSON. */
export function sameAsNatively(name, expected, found) {
  assert.equal(found.error, expected.error, name);
  if (expected.error) return 0;
  assert.equal(found.text, expected.text, name);
  return difference(JSON.parse(expected.json), JSON.parse(found.json), name);
}

function difference(expected, found, at) {
  if (typeof expected === 'number' && typeof found === 'number') return Math.abs(expected - found);
  if (typeof expected !== 'object' || expected === null) {
    // The guesses after the first may change places where they are equally likely.
    if (!/alternatives/.test(at)) assert.equal(found, expected, at);
    return 0;
  }
  assert.deepEqual(Object.keys(found), Object.keys(expected), at);
  return Math.max(0, ...Object.keys(expected).map(key => difference(expected[key], found[key], `${at}.${key}`)));
}

/** Seconds by file and place. */
export function table(times) {
  const places = [...new Set(Object.values(times).flatMap(Object.keys))];
  const row = cells => cells.map((cell, at) => (at ? cell.padStart(10) : cell.padEnd(22))).join('');
  const lines = Object.entries(times).map(([name, by]) => row([name, ...places.map(place => by[place]?.toFixed(2) ?? '-')]));
  return [row(['seconds', ...places]), ...lines].join('\n');
}
