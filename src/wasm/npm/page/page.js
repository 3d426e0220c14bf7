// The page: an image that is chosen, dropped or pasted is read, and shown with its letters.

const at = id => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';
/** Least confidence of each colour. */
const COLOURS = [[0.9, 'sure'], [0.7, 'likely'], [0.5, 'doubtful'], [0, 'unsure']];

const Reader = readerOver((take, fail) => {
  const script = URL.createObjectURL(new Blob([at('worker').textContent], { type: 'text/javascript' }));
  const worker = new Worker(script);
  worker.onmessage = ({ data }) => (data.failed === undefined ? take(data) : fail(new Error(data.failed)));
  worker.onerror = ({ message }) => fail(new Error(`the worker failed: ${message}`));
  worker.postMessage({ packed: at('module').textContent });
  return { post: message => worker.postMessage(message), end: () => worker.terminate(), busy: () => {} };
});

let reader;
/** What is shown: the file, its reading, and the address of its picture. */
let shown;
let file;
/** How many of the files that were dropped are not read. */
let passedOver = 0;
/** Answers to older requests are dropped. */
let newest = 0;

function tell(message, isError = false) {
  at('state').textContent = message;
  at('state').classList.toggle('error', isError);
}

async function read() {
  if (!file || !reader) return;
  const request = ++newest;
  const began = performance.now();
  const seconds = () => ((performance.now() - began) / 1000).toFixed(1);
  const clock = setInterval(() => tell(`Reading ${file.name} … ${seconds()} s`), 100);
  const options = { name: file.name };
  for (const key of ['alphabet', 'case', 'context']) options[key] = at(key).value;
  try {
    const reading = await reader.read(file, options);
    clearInterval(clock);
    if (request !== newest) return;
    show(file, reading);
    const count = reading.pages.flatMap(lettersOf).length;
    const others = passedOver ? [`One file is read at a time; ${passedOver} more ${passedOver > 1 ? 'were' : 'was'} left out.`] : [];
    tell([`Read ${file.name} in ${seconds()} s: ${count} letters.`, ...others, ...reading.notes].join(' '));
  } catch (error) {
    clearInterval(clock);
    if (request !== newest) return;
    at('found').hidden = true;
    tell(error.message, true);
  }
}

const lettersOf = page => page.lines.flatMap(line => line.words).flatMap(word => word.letters);

function show(file, reading) {
  if (shown) URL.revokeObjectURL(shown.picture);
  shown = { file, reading, picture: URL.createObjectURL(file) };
  at('text').textContent = reading.text;
  at('sheet').replaceChildren(...reading.pages.map(figureOf));
  at('found').hidden = false;
}

function figureOf(page) {
  const figure = document.createElement('figure');
  // A browser shows one page of a file at most, and no TIFF.
  if (shown.reading.pages.length === 1) {
    const image = document.createElement('img');
    image.alt = `The image ${page.image}`;
    image.onerror = () => image.remove();
    image.src = shown.picture;
    figure.append(image);
  }
  const drawing = document.createElementNS(SVG, 'svg');
  drawing.setAttribute('viewBox', `0 0 ${page.width} ${page.height}`);
  drawing.setAttribute('role', 'img');
  drawing.setAttribute('aria-label', 'The boxes of its letters');
  for (const letter of lettersOf(page)) drawing.append(boxOf(letter));
  figure.append(drawing);
  return figure;
}

function boxOf({ bounds, text, confidence, alternatives }) {
  const box = document.createElementNS(SVG, 'rect');
  for (const key of ['x', 'y', 'width', 'height']) box.setAttribute(key, bounds[key]);
  box.classList.add(COLOURS.find(([least]) => confidence >= least)[1]);
  const title = document.createElementNS(SVG, 'title');
  const percent = guess => `${guess.text} ${(100 * guess.confidence).toFixed(0)} %`;
  title.textContent = [{ text, confidence }, ...alternatives].map(percent).join(', ');
  box.append(title);
  return box;
}

function take(files) {
  if (!files?.length) return;
  [file] = files;
  passedOver = files.length - 1;
  read();
}

function save(content, extension, type) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = shown.file.name.replace(/\.[^.]*$/, '') + extension;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

at('file').onchange = () => take(at('file').files);
for (const key of ['alphabet', 'case', 'context']) at(key).onchange = read;
at('copy').onclick = () => navigator.clipboard.writeText(shown.reading.text).then(() => tell('Copied.'), error => tell(error.message, true));
at('save-text').onclick = () => save(shown.reading.text, '.txt', 'text/plain');
at('save-json').onclick = () => save(shown.reading.json, '.json', 'application/json');
addEventListener('paste', event => take(event.clipboardData.files));
addEventListener('dragover', event => { event.preventDefault(); at('drop').classList.add('over'); });
addEventListener('dragleave', () => at('drop').classList.remove('over'));
addEventListener('drop', event => {
  event.preventDefault();
  at('drop').classList.remove('over');
  take(event.dataTransfer.files);
});

try {
  reader = await Reader.open();
  tell(file ? '' : 'Ready.');
  read();
} catch (error) {
  tell(error.message, true);
}
