// The worker of a browser.

import init, * as wasm from './kiln_reader.js';
import { answering } from './engine.js';

// Messages that come before the module is there wait for it.
const ready = init().then(() => {
  const answer = answering(wasm, message => postMessage(message));
  postMessage({ ready: true });
  return answer;
});
ready.catch(error => postMessage({ failed: `the reader can't be loaded: ${error.message}` }));
onmessage = ({ data }) => ready.then(answer => answer(data), () => {});
