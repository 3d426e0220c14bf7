// The reader in Node.

import { Worker } from 'node:worker_threads';

import { readerOver } from './client.js';

export const Reader = readerOver((take, fail) => {
  const worker = new Worker(new URL('./node-worker.js', import.meta.url));
  worker.on('message', take);
  worker.on('error', fail);
  return {
    post: message => worker.postMessage(message),
    end: () => worker.terminate(),
    // An idle reader does not keep the process alive.
    busy: whether => (whether ? worker.ref() : worker.unref()),
  };
});
