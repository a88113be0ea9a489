// What the walks through the console share: browsers of people, pages that must stand, and steps that are told.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

export const desktop = { width: 1366, height: 768 };
export const phone = { width: 360, height: 780 };
export const first = 'a password to begin with';
const own = 'a password for walks';

// Page weights that the console keeps to, uncompressed, of which browsers fetch far less.
const LARGEST_PAGE = 300 * 1024;

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export class Walk {
  static async begin(base, shots) {
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox'],
    });
    return new Walk(browser, base, shots);
  }

  constructor(browser, base, shots) {
    this.browser = browser;
    this.base = base;
    this.shots = shots;
    this.faults = [];
    this.passed = 0;
  }

  async step(title, walk) {
    try {
      await walk();
      assert.deepEqual(this.faults, []);
      this.passed += 1;
    } catch (error) {
      console.error(`${title}: ${error.stack}`);
      console.log(`${this.passed} passed, 1 failed`);
      await this.browser.close();
      process.exit(1);
    }
  }

  async end() {
    await this.browser.close();
    console.log(`${this.passed} passed, 0 failed`);
  }

  // What the browser itself finds wrong: a refused style or script, an image that is not there, a script of a post that runs.
  // The walk asks for the pages' own statuses itself, and breaks the connection itself.
  watch(page) {
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) this.faults.push(message.text());
    });
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('dialog', (dialog) => {
      this.faults.push(`a dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on('response', (answer) => {
      if (answer.status() >= 400 && answer.request().resourceType() !== 'document') this.faults.push(answer.url());
    });
  }

  async visitor(options) {
    const page = await (await this.browser.newContext(options)).newPage();
    this.watch(page);
    return page;
  }

  async signIn(name, secret, viewport) {
    const page = await this.visitor({ viewport });
    await page.goto(`${this.base}login`);
    await page.fill('input[name=name]', name);
    await page.fill('input[name=password]', secret);
    await page.click('button.primary');
    await page.waitForURL((url) => !url.pathname.startsWith('/login'));
    // A password that the administrator set is good for one sign-in.
    if (page.url().endsWith('/account')) {
      await page.fill('input[name=old]', secret);
      await page.fill('input[name=new]', own);
      await page.fill('input[name=again]', own);
      await page.click('form[action="/account"] button.primary');
      await page.waitForSelector('[role=status]');
      await page.goto(this.base);
    }
    return page;
  }

  // Opens a page, which must not scroll sideways nor weigh too much.
  async open(page, path, shot) {
    const answer = await page.goto(this.base + path);
    assert.equal(answer.status(), 200, path);
    const size = (await answer.body()).length;
    assert.ok(size < LARGEST_PAGE, `${path} weighs ${size} bytes`);
    await this.fits(page, path);
    if (shot) await this.shoot(page, shot);
  }

  // The same on the phone, then at the desk.
  async openAtBoth(page, path, shot) {
    for (const [name, viewport] of [['phone', phone], ['desktop', desktop]]) {
      await page.setViewportSize(viewport);
      await this.open(page, path, `${shot}-${name}`);
    }
  }

  // Opens a page again until something is on it: programs write a moment after they are asked.
  async openUntil(page, path, row) {
    await page.goto(this.base + path);
    for (let tries = 0; tries < 100 && !(await page.locator(row).count()); tries += 1) {
      await page.waitForTimeout(200);
      await page.goto(this.base + path);
    }
  }

  async fits(page, what) {
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wider <= 0, `${what} scrolls sideways by ${wider}`);
  }

  async shoot(page, shot) {
    await page.screenshot({ path: `${this.shots}/${shot}.png`, fullPage: true });
  }

  // What axe-core finds serious: labels, contrast, names, order.
  async accessible(page, what) {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const grave = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ target }) => target.join(' ')).join(' | ')}`);
    assert.deepEqual(grave, [], `${what} for readers with other senses`);
  }

  async addUser(administrator, name, title, role, unit) {
    const form = 'form[data-form=add-user]';
    await administrator.goto(`${this.base}users`);
    await administrator.fill(`${form} input[name=name]`, name);
    await administrator.fill(`${form} input[name=display_name]`, title);
    await administrator.selectOption(`${form} select[name=role]`, role);
    if (unit) await administrator.selectOption(`${form} select[name=unit]`, unit);
    await administrator.fill(`${form} input[name=password]`, first);
    await administrator.click(`${form} button`);
    await administrator.waitForSelector(`[data-user="${name}"]`);
  }

  // Makes a move on the case whose page is open.
  async act(page, action, fill = {}) {
    const form = page.locator(`form[data-action=${action}]`);
    if (!(await form.isVisible())) await page.locator(`details:has(form[data-action=${action}]) > summary`).click();
    if (fill.note) await form.locator('textarea').fill(fill.note);
    if (fill.choice) await form.locator('select[name=choice]').selectOption({ index: fill.choice });
    if (fill.lead) await form.locator('select[name=lead]').selectOption(fill.lead);
    if (fill.assists) {
      const ticked = form.locator('input[name=assists]:checked');
      while (await ticked.count()) await ticked.first().uncheck();
      for (const unit of fill.assists) await form.locator(`input[name=assists][value=${unit}]`).check();
    }
    await form.locator('button:not([name])').click();
    await page.waitForURL(/done=|\/cases$/);
  }
}

export const state = (page) => page.locator('[data-state]').getAttribute('data-state');
