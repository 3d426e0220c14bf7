// Keeps the part of a page that changes up to date: from the events of a run, or by asking again every few seconds.

const EVENT_PAUSE = 500;
/** Milliseconds until the next attempt to connect, which double. */
const FIRST_PAUSE = 2000;
const LONGEST_PAUSE = 60_000;

/** What an element is known by when the part that it is in was made anew. */
function key(element) {
  if (element.id) return '#' + element.id;
  if (element.name) return element.name + '=' + element.value;
  return element.getAttribute('href') ?? element.textContent;
}

/** What is wider than its place can be scrolled with the keyboard. */
function reach() {
  for (const one of document.querySelectorAll('figure, .wide, pre')) {
    if (one.scrollWidth > one.clientWidth) one.tabIndex = 0;
    else if (!one.hasAttribute('role') && one.id !== 'text') one.removeAttribute('tabindex');
  }
}

/** Shows another state of a part; what was opened, chosen or focused stays so. */
function replace(part, fresh) {
  const text = fresh.innerHTML;
  if (shown === text) return;
  shown = text;
  const open = [...part.querySelectorAll('details')].map(one => one.open);
  const scrolled = [...part.querySelectorAll('.wide')].map(one => [one.scrollLeft, one.scrollTop]);
  const chosen = new Set([...part.querySelectorAll('input:checked')].map(key));
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const tag = focused?.tagName.toLowerCase();
  const known = focused && key(focused);
  part.replaceChildren(...fresh.childNodes);
  part.querySelectorAll('details').forEach((one, index) => { if (index in open) one.open = open[index]; });
  part.querySelectorAll('.wide').forEach((one, index) => {
    if (index in scrolled) [one.scrollLeft, one.scrollTop] = scrolled[index];
  });
  part.querySelectorAll('input[type=checkbox]').forEach(one => { one.checked = chosen.has(key(one)); });
  reach();
  if (focused) [...part.querySelectorAll(tag)].find(one => key(one) === known)?.focus({ preventScroll: true });
}

async function fetched(address) {
  const answer = await fetch(address, { headers: { accept: 'text/html' } });
  if (!answer.ok) throw new Error(answer.statusText);
  return new DOMParser().parseFromString(await answer.text(), 'text/html');
}

/** Asks for the page again every few seconds, as long as it says so and is looked at. */
function poll(part) {
  const every = Number(part.dataset.every);
  if (!every) return;
  setTimeout(async () => {
    if (!document.hidden) {
      try {
        const fresh = (await fetched(location.href)).getElementById('live');
        if (fresh) {
          if (fresh.dataset.every) part.dataset.every = fresh.dataset.every;
          else delete part.dataset.every;
          replace(part, fresh);
        }
      } catch { /* The server may be back later. */ }
    }
    poll(part);
  }, 1000 * every);
}

/** Shows a run anew when something has happened to it. */
function follow(part) {
  let waiting = false;
  const refresh = () => {
    if (waiting) return;
    waiting = true;
    setTimeout(async () => {
      waiting = false;
      try {
        const fresh = (await fetched(part.dataset.live)).body;
        replace(part, fresh);
      } catch { /* The next event asks again. */ }
    }, EVENT_PAUSE);
  };
  let events;
  let pause = FIRST_PAUSE;
  const connect = () => {
    events?.close();
    events = new EventSource(part.dataset.events);
    events.addEventListener('open', () => { pause = FIRST_PAUSE; });
    for (const kind of ['epoch', 'state', 'reset']) events.addEventListener(kind, refresh);
    // A browser connects again by itself, but not after an answer such as 429. Not all at once.
    events.addEventListener('error', () => {
      if (events.readyState !== EventSource.CLOSED) return;
      setTimeout(connect, pause * (0.5 + Math.random()));
      pause = Math.min(2 * pause, LONGEST_PAUSE);
    });
  };
  connect();
  // A page that is left must not keep a connection: browsers allow six to a server.
  addEventListener('pagehide', () => events.close());
  addEventListener('pageshow', event => { if (event.persisted) connect(); });
}

const part = document.getElementById('live');
/** What the server said last. */
let shown = part?.innerHTML;
reach();
addEventListener('resize', reach);
if (part?.dataset.events) follow(part);
else if (part) poll(part);
