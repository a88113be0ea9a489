// A day on duty in the browser: the administrator makes accounts, the officer dispatches, the unit signs and answers
// on the phone, the officer closes. Every page is opened at both widths; none may scroll sideways or run scripts.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const [base, password, shots] = process.argv.slice(2);
const desktop = { width: 1440, height: 1000 };
const phone = { width: 390, height: 844 };
const first = 'a password to begin with';
const own = 'a password for walks';
const faults = [];
let passed = 0;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});

async function step(title, walk) {
  try {
    await walk();
    assert.deepEqual(faults, []);
    passed += 1;
  } catch (error) {
    console.error(`${title}: ${error.stack}`);
    console.log(`${passed} passed, 1 failed`);
    await browser.close();
    process.exit(1);
  }
}

// What the browser itself finds wrong: a refused style or script, an image that is not there. The walk asks for the
// pages' own statuses itself.
function watch(page) {
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text());
  });
  page.on('response', (answer) => {
    if (answer.status() >= 400 && answer.request().resourceType() !== 'document') faults.push(answer.url());
  });
}

async function signIn(name, secret, viewport) {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  watch(page);
  await page.goto(`${base}login`);
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
    await page.goto(base);
  }
  return page;
}

async function open(page, path, shot) {
  const answer = await page.goto(base + path);
  assert.equal(answer.status(), 200, path);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wider <= 0, `${path} scrolls sideways by ${wider}`);
  if (shot) await page.screenshot({ path: `${shots}/${shot}.png` });
}

async function addUser(page, name, title, role, unit) {
  await page.goto(`${base}users`);
  await page.fill('form[data-form=add-user] input[name=name]', name);
  await page.fill('form[data-form=add-user] input[name=display_name]', title);
  await page.selectOption('form[data-form=add-user] select[name=role]', role);
  if (unit) await page.selectOption('form[data-form=add-user] select[name=unit]', unit);
  await page.fill('form[data-form=add-user] input[name=password]', first);
  await page.click('form[data-form=add-user] button');
  await page.waitForSelector(`[data-user="${name}"]`);
}

async function act(page, action, note) {
  const form = page.locator(`form[data-action=${action}]`);
  if (!(await form.isVisible())) await page.locator(`details:has(form[data-action=${action}]) > summary`).click();
  if (note) await form.locator('textarea').fill(note);
  await form.locator('button:not([name=check])').click();
  await page.waitForURL(/done=|\/cases$/);
}

const state = (page) => page.locator('[data-state]').getAttribute('data-state');

let administrator;
let officer;
let unit;
let address;

await step('a wrong password is refused', async () => {
  const page = await (await browser.newContext({ viewport: desktop })).newPage();
  await page.goto(`${base}login`);
  await page.fill('input[name=name]', 'admin');
  await page.fill('input[name=password]', 'wrong wrong wrong');
  await page.click('button.primary');
  await page.waitForSelector('[role=alert]');
});

await step('every page stands at both widths', async () => {
  administrator = await signIn('admin', password, desktop);
  // The archive makes its tables and writes the first posts a moment after the first cases are opened.
  for (const [path, row] of [['', '.case-row'], ['posts', '[data-post]']]) {
    await administrator.goto(base + path);
    for (let tries = 0; tries < 100 && !(await administrator.locator(row).count()); tries += 1) {
      await administrator.waitForTimeout(200);
      await administrator.goto(base + path);
    }
  }
  for (const [name, viewport] of [['desktop', desktop], ['phone', phone]]) {
    await administrator.setViewportSize(viewport);
    for (const path of [
      '', 'posts', 'events', 'cases', 'roster', 'silences', 'routing', 'units', 'units/files', 'knowledge', 'knowledge/new', 'commitments',
      'sources', 'dead-letters', 'system', 'users', 'users/admin', 'audit', 'account',
    ]) {
      await open(administrator, path, `${path.replace('/', '-') || 'overview'}-${name}`);
    }
  }
  await administrator.setViewportSize(desktop);
});

await step('administration is a menu for the keyboard too, and a matter is tried', async () => {
  await administrator.goto(base);
  const menu = administrator.locator('details.menu');
  await menu.locator('summary').focus();
  await administrator.keyboard.press('Enter');
  await menu.locator('a', { hasText: '分派' }).waitFor({ state: 'visible' });
  await administrator.keyboard.press('Escape');
  await menu.locator('a', { hasText: '分派' }).waitFor({ state: 'hidden' });
  await menu.locator('summary').click();
  await menu.locator('a', { hasText: '分派' }).click();
  await administrator.fill('form[data-form=route] input[name=text]', '小区断水');
  await administrator.click('form[data-form=route] button');
  await administrator.waitForSelector('.way [data-told=zhujian]');
  await administrator.screenshot({ path: `${shots}/routing-tried-desktop.png` });
});

await step('a post and an event can be looked into', async () => {
  await open(administrator, 'posts');
  await administrator.locator('[data-post] h3 a').first().click();
  await administrator.waitForSelector('text=判断与依据');
  await administrator.screenshot({ path: `${shots}/post-desktop.png` });
  await administrator.locator('summary', { hasText: '更正研判' }).click();
  await administrator.setViewportSize(phone);
  await administrator.screenshot({ path: `${shots}/post-phone.png`, fullPage: true });
  await administrator.setViewportSize(desktop);
  await open(administrator, 'events');
  await administrator.locator('[data-event] a').first().click();
  await administrator.waitForSelector('text=帖文');
});

await step('an event is merged into another, after what will happen is said', async () => {
  await administrator.locator('a', { hasText: '并入或拆分' }).click();
  const path = new URL(administrator.url()).pathname.slice(1);
  for (const [name, viewport] of [['phone', phone], ['desktop', desktop]]) {
    await administrator.setViewportSize(viewport);
    await open(administrator, path);
    await administrator.screenshot({ path: `${shots}/event-edit-${name}.png`, fullPage: true });
  }
  await administrator.locator('form[data-form=merge] input[type=radio]').first().check();
  await administrator.locator('form[data-form=merge] button').click();
  await administrator.waitForSelector('text=请确认并入');
  await administrator.screenshot({ path: `${shots}/event-confirm-desktop.png` });
  await administrator.locator('form[data-form=confirm] button').click();
  await administrator.waitForSelector('[role=status]');
});

await step('the officer dispatches a case to the unit that is proposed', async () => {
  await addUser(administrator, 'officer', '值班员甲', 'duty-officer');
  officer = await signIn('officer', first, desktop);
  await open(officer, 'cases?state=pending&level=4');
  await officer.locator('.case-row a').first().click();
  await officer.waitForSelector('form[data-action=dispatch]');
  await officer.screenshot({ path: `${shots}/case-desktop.png`, fullPage: true });
  address = new URL(officer.url()).pathname.slice(1);
  const lead = await officer.locator('select[name=lead]').inputValue();
  await addUser(administrator, 'unit', '负责人乙', 'unit-lead', `990101/${lead}`);
  // The lead answers once all who assist have reported: here it works alone.
  for (const box of await officer.locator('form[data-action=dispatch] input[name=assists]:checked').all()) await box.uncheck();
  await act(officer, 'dispatch', '请尽快核实处理');
  assert.equal(await state(officer), 'dispatched');
});

await step('the unit signs for it and answers on the phone', async () => {
  unit = await signIn('unit', first, phone);
  await unit.locator('.case-row a').first().click();
  await act(unit, 'sign');
  await act(unit, 'report', '已到现场核查。');
  await unit.screenshot({ path: `${shots}/case-phone.png`, fullPage: true });
  await unit.locator('details:has(form[data-action=reply]) > summary').click();
  await unit.locator('form[data-action=reply] textarea').fill('经核实情况属实，已安排处理。');
  await unit.locator('form[data-action=reply] button[name=check]').click();
  await unit.waitForSelector('section.reply-check');
  await unit.screenshot({ path: `${shots}/case-check-phone.png`, fullPage: true });
  assert.equal(await state(unit), 'handling');
  const reply = '您好，感谢您的来信。经核实情况属实，依据《江西省城市管理条例》，我局将于2026年12月31日前完成整改，联系电话0795-4500000。';
  await act(unit, 'reply', reply);
  assert.equal(await state(unit), 'review');
  assert.equal((await unit.goto(`${base}posts`)).status(), 403);
});

await step('the officer approves and closes it', async () => {
  await open(officer, address);
  await officer.screenshot({ path: `${shots}/case-review-desktop.png`, fullPage: true });
  await act(officer, 'approve');
  await act(officer, 'close');
  assert.equal(await state(officer), 'closed');
});

await browser.close();
console.log(`${passed} passed, 0 failed`);
