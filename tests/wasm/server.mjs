// A server of a few folders and of the files to be read.

import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const TYPES = { js: 'text/javascript', html: 'text/html', wasm: 'application/wasm' };

/** Serves the files of `folders`, and below `/files/` those of `pages` by name; its `address` ends without a slash. */
export async function serving(folders, pages) {
  const paths = new Map(pages.map(({ name, path }) => ['/files/' + name, path]));
  const server = createServer((request, response) => {
    const path = paths.get(request.url) ?? folders.map(folder => join(folder, request.url)).find(existsSync);
    if (!path) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[path.split('.').pop()] ?? 'application/octet-stream' }).end(readFileSync(path));
  });
  await new Promise(listening => server.listen(0, '127.0.0.1', listening));
  return { address: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
