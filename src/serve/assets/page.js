// A page that was read: boxes over the image, and the letters to correct.

import { percent } from '/assets/images.js';

const SVG = 'http://www.w3.org/2000/svg';

/** 1 (a guess) to 4 (sure), as the boxes of `kiln ocr --overlay` are coloured. */
export const level = confidence => confidence >= 0.95 ? 4 : confidence >= 0.8 ? 3 : confidence >= 0.5 ? 2 : 1;

function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

const box = ({ x, y, width, height }, kind) => shape('rect', { x, y, width, height, class: kind });

/** The image of a page with a box for each line, word and letter; letters are buttons. */
export function picture(page, source, choose) {
  const svg = shape('svg', { viewBox: `0 0 ${page.width} ${page.height}`, role: 'group', 'aria-label': 'Letters of ' + page.image });
  svg.append(shape('rect', { width: page.width, height: page.height, class: 'paper' }));
  if (source) svg.append(shape('image', { href: source, width: page.width, height: page.height }));
  const letters = [];
  for (const line of page.lines) {
    svg.append(box(line.bounds, 'line'));
    for (const word of line.words) {
      svg.append(box(word.bounds, 'word'));
      for (const letter of word.letters) {
        const one = box(letter.bounds, `letter level${level(letter.confidence)}`);
        one.setAttribute('role', 'button');
        one.setAttribute('tabindex', letters.length ? -1 : 0);
        one.setAttribute('aria-label', `${letter.text}, ${percent(letter.confidence)}`);
        const index = letters.push(one) - 1;
        one.addEventListener('click', () => choose(index));
        svg.append(one);
      }
    }
  }
  svg.addEventListener('keydown', event => move(event, letters, choose));
  return { svg, letters };
}

/** Arrow keys go from letter to letter; Enter chooses one. */
function move(event, letters, choose) {
  const now = letters.indexOf(document.activeElement);
  if (now < 0) return;
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -now, End: letters.length - 1 - now };
  if (event.key === 'Enter' || event.key === ' ') choose(now);
  else if (event.key in steps) {
    const next = letters[Math.min(letters.length - 1, Math.max(0, now + steps[event.key]))];
    letters[now].setAttribute('tabindex', -1);
    next.setAttribute('tabindex', 0);
    next.focus();
  } else return;
  event.preventDefault();
}

/** The letters of a page as boxes to type in, in the form that `corrected` of `review.js` reads. */
export function editor(page, kept, changed, focused) {
  const section = document.createElement('section');
  section.dataset.image = page.image;
  section.setAttribute('aria-label', 'Letters of ' + page.image);
  const inputs = [];
  for (const line of page.lines) {
    const row = section.appendChild(document.createElement('div'));
    row.className = 'line';
    for (const word of line.words) {
      const span = row.appendChild(document.createElement('span'));
      span.className = 'word';
      for (const letter of word.letters) inputs.push(span.appendChild(input(letter, kept)));
    }
  }
  inputs.forEach((one, index) => {
    one.addEventListener('focus', () => { one.select(); focused(index); });
    one.addEventListener('input', () => {
      one.classList.toggle('changed', one.value !== one.dataset.read);
      changed();
      if (one.value && inputs[index + 1]) inputs[index + 1].focus();
    });
    one.addEventListener('keydown', event => {
      const to = { ArrowRight: inputs[index + 1], ArrowLeft: inputs[index - 1] }[event.key];
      if (to) { event.preventDefault(); to.focus(); }
    });
  });
  return { section, inputs };
}

function input(letter, kept) {
  const { x, y, width, height } = letter.bounds;
  const one = document.createElement('input');
  one.maxLength = 1;
  one.autocomplete = 'off';
  one.spellcheck = false;
  one.autocapitalize = 'off';
  one.dataset.box = JSON.stringify([x, y, width, height]);
  one.dataset.read = letter.text;
  one.value = kept[one.dataset.box] ?? letter.text;
  one.className = `level${level(letter.confidence)}`;
  one.classList.toggle('changed', one.value !== letter.text);
  one.setAttribute('aria-label', `${letter.text}, ${percent(letter.confidence)}`);
  return one;
}
