// A folder of its own, `kiln` in it, and a browser where there is one.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Bench {
  constructor(binary) {
    this.binary = binary;
    this.folder = mkdtempSync(join(tmpdir(), 'kiln-wasm-'));
  }

  path(name) { return join(this.folder, name); }

  kiln(...words) { return execFileSync(this.binary, words, { cwd: this.folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }); }

  /** `kiln` that may fail. */
  tried(...words) { return spawnSync(this.binary, words, { cwd: this.folder, encoding: 'utf8', maxBuffer: 1 << 28 }); }

  /** Starts the browser of tests/browser, which may ask for nothing but what begins with `address`. */
  async browse({ Site }, address) {
    this.site = new Site(this.binary);
    this.site.address = address;
    await this.site.launch();
  }

  async end() {
    await this.site?.end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
