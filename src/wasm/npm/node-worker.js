// The worker of Node.

import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

import * as wasm from './kiln_reader.js';
import { answering } from './engine.js';

wasm.initSync({ module: readFileSync(new URL('kiln_reader_bg.wasm', import.meta.url)) });
const answer = answering(wasm, message => parentPort.postMessage(message));
parentPort.on('message', answer);
parentPort.postMessage({ ready: true });
