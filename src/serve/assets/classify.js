// Images are sent one by one and their classes shown.

import { choices, given, percent, say, send } from '/assets/images.js';

const GUESSES = 5;
const answers = document.getElementById('answers');
let shown = [];

const parameters = choices(() => { for (const one of shown) classify(one); });

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

async function explain(one, guess) {
  const asked = parameters();
  asked.set('class', guess.class);
  try {
    const picture = await (await send('/api/explain', asked, one.file)).blob();
    one.image.src = URL.createObjectURL(picture);
    one.image.alt = `where ${one.file.name} speaks for ${guess.class}`;
    say(`Shown: where ${one.file.name} speaks for ${guess.class}`);
  } catch (error) { say(error.message, true); }
}

async function classify(one) {
  const asked = parameters();
  asked.set('top_k', GUESSES);
  asked.set('name', one.file.name);
  say(`Classifying ${one.file.name}…`);
  try {
    const [{ guesses }] = await (await send('/api/predict', asked, one.file)).json();
    one.list.replaceChildren(...guesses.map(guess => {
      const bar = element('meter', { min: 0, max: 1, value: guess.confidence });
      bar.setAttribute('aria-label', 'confidence in ' + guess.class);
      const where = element('button', { type: 'button', textContent: 'where?' });
      where.setAttribute('aria-label', 'Show where it speaks for ' + guess.class);
      where.addEventListener('click', () => explain(one, guess));
      return element('li', {}, element('b', { textContent: guess.class }), ' ' + percent(guess.confidence) + ' ', bar, where);
    }));
    say(`${one.file.name}: ${guesses[0].class}, ${percent(guesses[0].confidence)}`);
  } catch (error) {
    one.list.replaceChildren(element('li', { className: 'error', textContent: error.message }));
    say(`${one.file.name}: ${error.message}`, true);
  }
}

given(async files => {
  for (const file of files) {
    const image = element('img', { alt: '', src: URL.createObjectURL(file) });
    const list = element('ol');
    const one = { file, image, list };
    answers.prepend(element('li', { className: 'card' }, image, element('div', {}, element('h2', { textContent: file.name }), list)));
    shown.push(one);
    await classify(one);
  }
});
