// The oldest browser that agents may use, Chromium 70, and Firefox (F5): driven by Puppeteer, spoken to like pages of today's Chromium.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { PAGE_RATE, QUIET, installEars, speaking, takeVoicesAsTheyAre } from './browser.mjs';
import { newFolder } from './work_folder.mjs';

const require = createRequire(new URL('../../web/package.json', import.meta.url));

/** Chromium 70, whose microphone is this WAV file again and again. */
export async function openChromium70(microphone) {
  const folder = newFolder('chromium-70');
  const executablePath = join(folder, 'chromium');
  const packed = readFileSync(join(require.resolve('chrome-aws-lambda/package.json'), '../bin/chromium-70.0.3508.0.br'));
  writeFileSync(executablePath, brotliDecompressSync(packed), { mode: 0o755 });
  const browser = await require('puppeteer-core-1').launch({
    executablePath,
    userDataDir: join(folder, 'profile'),
    defaultViewport: { width: 1280, height: 720 },
    ignoreDefaultArgs: ['--mute-audio'],
    args: [...QUIET, ...speaking(microphone), '--headless'],
  });
  return new Browser(browser);
}

/** Firefox, whose microphone is a tone of 1 kHz. It reaches a switch at an address of `networkAddress` only. */
export async function openFirefox() {
  const { default: puppeteer } = await import(require.resolve('puppeteer-core'));
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    userDataDir: newFolder('firefox'),
    headless: true,
    defaultViewport: { width: 1280, height: 720 },
    extraPrefsFirefox: {
      'intl.accept_languages': 'en-GB',
      'media.navigator.permission.disabled': true,
      'media.navigator.streams.fake': true,
      'media.autoplay.default': 0,
      'media.autoplay.blocking_policy': 0,
    },
  });
  return new Browser(browser);
}

/** An address of this machine that is not the loopback one: Firefox talks to none of those. */
export function networkAddress() {
  const addresses = Object.values(networkInterfaces()).flat();
  const found = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  if (!found) throw new Error('Firefox needs an IPv4 address of this machine beside 127.0.0.1, and there is none');
  return found.address;
}

/** As much of Playwright's BrowserContext as the tests use. */
class Browser {
  #browser;
  #pages = [];

  constructor(browser) {
    this.#browser = browser;
  }

  async newPage() {
    const page = await this.#browser.newPage();
    await page.evaluateOnNewDocument(installEars, PAGE_RATE);
    await page.evaluateOnNewDocument(takeVoicesAsTheyAre);
    this.#pages.push(new Page(page));
    return this.#pages.at(-1);
  }

  pages() {
    return this.#pages;
  }

  close() {
    return this.#browser.close();
  }
}

/** As much of Playwright's Page as a Workstation and its ears use. */
class Page {
  #page;

  constructor(page) {
    this.#page = page;
  }

  on() {}

  goto(url) {
    return this.#page.goto(url);
  }

  evaluate(act, argument) {
    return this.#page.evaluate(act, argument);
  }

  waitForFunction(condition, argument, options) {
    return this.#page.waitForFunction(condition, options, argument);
  }

  screenshot(options) {
    return this.#page.screenshot(options);
  }

  close() {
    return this.#page.close();
  }

  locator(selector) {
    return new Locator(this.#page, selector);
  }
}

const FOUND = { visible: { visible: true }, attached: {}, detached: { hidden: true } };

class Locator {
  #page;
  #selector;

  constructor(page, selector) {
    this.#page = page;
    this.#selector = selector;
  }

  first() {
    return this;
  }

  waitFor({ state = 'visible', timeout = 30_000 } = {}) {
    return this.#page.waitForSelector(this.#selector, { ...FOUND[state], timeout });
  }

  async click(options) {
    await this.waitFor(options);
    await this.#page.click(this.#selector);
  }

  async fill(text) {
    await this.waitFor();
    await this.#page.type(this.#selector, text);
  }
}
