// A page is sent, read and shown; corrections stay in this browser, by the content of the file, and are saved as `kiln ocr --review` does.

import { choices, download, given, percent, say, send } from '/assets/images.js';
import { editor, picture } from '/assets/page.js';
import { corrected } from '/assets/review.js';

const at = id => document.getElementById(id);
/** What is shown: the file, its pages, and for each page its boxes and inputs. */
let now = null;

const parameters = choices(() => { if (now) read(now.file); });

/** A name for the content of a file: FNV-1a of 64 bits over its bytes. */
async function fingerprint(file) {
  let hash = 0xcbf29ce484222325n;
  const bytes = new Uint8Array(await file.arrayBuffer());
  // Every byte of a small file, some of a large one: BigInt is slow.
  const step = Math.max(1, Math.floor(bytes.length / 65536));
  for (let index = 0; index < bytes.length; index += step) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(bytes[index])) * 0x100000001b3n);
  }
  return `kiln-review-${bytes.length}-${hash.toString(16)}`;
}

/** What was corrected of a file: the letter of each box that is not as it was read. */
function kept(name) {
  try { return JSON.parse(localStorage.getItem(name)) ?? {}; } catch { return {}; }
}

function keep() {
  const changed = {};
  for (const input of at('letters').querySelectorAll('input')) {
    if (input.value !== input.dataset.read) changed[input.dataset.box] = input.value;
  }
  try {
    if (Object.keys(changed).length) localStorage.setItem(now.name, JSON.stringify(changed));
    else localStorage.removeItem(now.name);
  } catch { /* Without storage, corrections last as long as the page. */ }
  showText();
}

function showText() {
  const saved = corrected(at('letters'));
  const names = Object.keys(saved).filter(name => name !== 'kiln_review');
  at('text').textContent = names.map(name => saved[name].join('\n')).join('\n\n');
}

/** The next guesses for a letter, to choose from. */
function guess(page, index) {
  const { letters, inputs, boxes } = now.pages[page];
  boxes.forEach((box, place) => box.classList.toggle('chosen', place === index));
  const letter = letters[index];
  const take = text => {
    inputs[index].value = text;
    inputs[index].classList.toggle('changed', text !== letter.text);
    keep();
    say(text ? `Letter ${index + 1} is now ${text}` : `Letter ${index + 1} is now none`);
  };
  const all = [{ text: letter.text, confidence: letter.confidence }, ...letter.alternatives];
  at('guesses').replaceChildren(...all.map(one => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = `${one.text} ${percent(one.confidence)}`;
    button.addEventListener('click', () => take(one.text));
    return button;
  }), Object.assign(document.createElement('button'), {
    type: 'button', textContent: 'no letter', onclick: () => take(''),
  }));
}

function show(file, name, pages) {
  const source = file.type.startsWith('image/') && !file.type.includes('tif') ? URL.createObjectURL(file) : null;
  now = { file, name, pages: [] };
  const corrections = kept(name);
  at('page').replaceChildren();
  at('letters').replaceChildren();
  at('guesses').replaceChildren();
  pages.forEach((page, number) => {
    const named = { ...page, image: page.page ? `${page.image}, page ${page.page}` : page.image };
    const choose = index => { now.pages[number].inputs[index].focus(); };
    const { svg, letters: boxes } = picture(named, pages.length === 1 ? source : null, choose);
    const { section, inputs } = editor(named, corrections, keep, index => guess(number, index));
    at('page').append(svg);
    at('letters').append(section);
    const letters = page.lines.flatMap(line => line.words.flatMap(word => word.letters));
    now.pages.push({ letters, boxes, inputs });
  });
  at('result').hidden = false;
  showText();
}

async function read(file) {
  const asked = parameters();
  asked.set('name', file.name);
  say(`Reading ${file.name}…`);
  try {
    const answer = await (await send('/api/ocr', asked, file)).json();
    const pages = Array.isArray(answer) ? answer : [answer];
    show(file, await fingerprint(file), pages);
    const count = pages.flatMap(page => page.lines).length;
    say(count ? `${file.name}: ${count} line${count === 1 ? '' : 's'} read` : `${file.name}: no writing that kiln can read`);
  } catch (error) {
    say(`${file.name}: ${error.message}`, true);
  }
}

given(files => read(files[0]));

at('copy').addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(at('text').textContent);
    say('The text is copied');
  } catch { say('The browser does not allow copying; select the text instead', true); }
});

for (const button of document.querySelectorAll('[data-format]')) {
  button.addEventListener('click', async () => {
    const asked = parameters();
    asked.set('name', now.file.name);
    asked.set('format', button.dataset.format);
    try {
      const answer = await send('/api/ocr', asked, now.file);
      download(await answer.blob(), now.file.name.replace(/\.[^.]*$/, '') + '.' + button.dataset.extension);
    } catch (error) { say(error.message, true); }
  });
}

at('save').addEventListener('click', () => {
  const text = JSON.stringify(corrected(at('letters')), null, 1) + '\n';
  download(new Blob([text], { type: 'application/json' }), 'review.json');
  say('The corrections are saved as review.json');
});

at('forget').addEventListener('click', () => {
  for (const input of at('letters').querySelectorAll('input')) {
    input.value = input.dataset.read;
    input.classList.remove('changed');
  }
  keep();
  say('All letters are as they were read');
});
