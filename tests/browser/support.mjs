// A server in a folder of its own, a browser, and what is checked on every page.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const require = createRequire(join(process.env.KILN_NODE_MODULES ?? import.meta.dirname, 'package.json'));
const { chromium } = require('playwright-core');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const PATIENCE = 120_000;

export class Site {
  constructor(binary) {
    this.binary = resolve(binary);
    this.folder = mkdtempSync(join(tmpdir(), 'kiln-browser-'));
    this.shots = process.env.KILN_SCREENSHOTS && resolve(process.env.KILN_SCREENSHOTS);
    if (this.shots) mkdirSync(this.shots, { recursive: true });
    this.children = [];
  }

  path(name) { return join(this.folder, name); }

  kiln(...words) {
    return execFileSync(this.binary, words, { cwd: this.folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  }

  begin(...words) {
    const child = spawn(this.binary, words, { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
    this.children.push(child);
    return child;
  }

  async serve() {
    const child = this.begin('serve', '--bind', '127.0.0.1:0');
    let said = '';
    this.address = await new Promise((found, failed) => {
      child.stderr.on('data', piece => {
        said += piece;
        const match = said.match(/http:\/\/[\d.]+:\d+/);
        if (match) found(match[0]);
      });
      child.on('exit', () => failed(new Error(said)));
    });
    await this.launch();
  }

  async launch() {
    this.browser = await chromium.launch({
      executablePath: process.env.KILN_CHROMIUM ?? BROWSERS.find(existsSync),
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    });
  }

  /** A page in which nothing may go wrong and from which nothing else may be asked. */
  async page(options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    // To try a script or a style without building it in.
    const assets = process.env.KILN_ASSETS;
    if (assets) {
      await page.route('**/assets/*', route => {
        const path = join(assets, new URL(route.request().url()).pathname.split('/').pop());
        return existsSync(path) ? route.fulfill({ path }) : route.continue();
      });
    }
    page.problems = [];
    page.on('console', line => { if (line.type() === 'error') page.problems.push(line.text()); });
    page.on('pageerror', error => page.problems.push(String(error)));
    page.on('request', request => {
      const address = request.url();
      if (!address.startsWith(this.address) && !/^(blob|data):/.test(address)) page.problems.push('asks ' + address);
    });
    return page;
  }

  /** Fails if axe finds a serious fault on the page as it is, or if the page is wider than its window. */
  async check(page, name) {
    await page.evaluate(AXE);
    const found = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }));
    const serious = found.violations.filter(one => ['serious', 'critical'].includes(one.impact));
    const listed = serious.map(one => `${one.id}: ${one.help}\n  ${one.nodes.slice(0, 3).map(node => node.html + ' ' + node.failureSummary).join('\n  ')}`);
    assert.deepEqual(listed, [], name);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(wide <= 0, `${name} is ${wide} pixels wider than its window`);
    const cut = await page.evaluate(() => [...document.querySelectorAll('.charts figure:has(svg)')].filter(one => one.scrollWidth > one.clientWidth).length);
    assert.equal(cut, 0, `${name}: charts are cut`);
    assert.deepEqual(page.problems, [], name);
  }

  /** Pictures of a page, wide and narrow, light and dark; each is checked. */
  async shoot(page, name) {
    for (const width of [1280, 390]) {
      for (const colorScheme of ['light', 'dark']) {
        await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
        await page.emulateMedia({ colorScheme });
        await this.check(page, `${name} at ${width}, ${colorScheme}`);
        if (this.shots) await page.screenshot({ path: join(this.shots, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      }
    }
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme: 'light' });
  }

  async end() {
    await this.browser?.close();
    for (const child of this.children) child.kill('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Goes through a page with the Tab key and fails unless everything that can be used is reached and can be seen to be. */
export async function byKeyboard(page, name) {
  // What follows a change of the window's size.
  await page.waitForTimeout(300);
  const wanted = await page.evaluate(() => {
    const all = [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')];
    const usable = all.filter(one => one.tabIndex >= 0 && !one.disabled && one.checkVisibility() && one.type !== 'hidden');
    usable.forEach((one, index) => { one.dataset.stop = index; });
    document.activeElement?.blur();
    return usable.length;
  });
  const reached = new Set();
  for (let step = 0; step < wanted + 5; step++) {
    await page.keyboard.press('Tab');
    const now = await page.evaluate(() => {
      const one = document.activeElement;
      const seen = [one, one?.closest('.button')].some(shown => shown && getComputedStyle(shown).outlineStyle !== 'none');
      const strokes = one instanceof SVGElement;
      return { stop: one?.dataset?.stop, seen: seen || strokes, html: one?.outerHTML.slice(0, 120) };
    });
    if (now.stop === undefined) continue;
    assert(now.seen, `${name}: no sign of the focus on ${now.html}`);
    reached.add(now.stop);
  }
  const missed = await page.evaluate(stops => [...document.querySelectorAll('[data-stop]')]
    .filter(one => !stops.includes(one.dataset.stop)).map(one => one.outerHTML.slice(0, 120)), [...reached]);
  assert.deepEqual(missed, [], `${name}: not reached with the keyboard`);
}
