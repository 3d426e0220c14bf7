// The reader in a browser.

import { readerOver } from './client.js';

export const Reader = readerOver((take, fail) => {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }) => (data.failed === undefined ? take(data) : fail(new Error(data.failed)));
  worker.onerror = ({ message }) => fail(new Error(`the worker of the reader failed: ${message ?? 'it could not be loaded'}`));
  return { post: message => worker.postMessage(message), end: () => worker.terminate(), busy: () => {} };
});
