// Runs beside an installed package: reads the files that standard input lists, and prints the answers as JSON.

import { readFileSync } from 'node:fs';

import { Reader } from 'kiln-reader';

const pages = JSON.parse(readFileSync(0, 'utf8'));
let [gap, last] = [0, performance.now()];
const PERIOD = 10;
const timer = setInterval(() => {
  const now = performance.now();
  gap = Math.max(gap, now - last - PERIOD);
  last = now;
}, PERIOD);

const reader = await Reader.open();
const answers = {};
for (const { name, path } of pages) {
  const bytes = readFileSync(path);
  last = performance.now();
  const began = last;
  const answer = await reader.read(bytes, { name }).then(({ json, text }) => ({ json, text }), ({ message }) => ({ error: message }));
  answers[name] = { ...answer, seconds: (performance.now() - began) / 1000 };
}
clearInterval(timer);

const refused = [];
const bytes = readFileSync(pages[0].path);
const refuse = options => reader.read(bytes, options).catch(({ message }) => refused.push(message));
await refuse({ case: 'small' });
await refuse({ colour: 1 });
await refuse({ pages: '2' });
reader.close();
await refuse({});
console.log(JSON.stringify({ answers, gap, refused }));
