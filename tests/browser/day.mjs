// A day on duty in the browser, on the sample county: every page stands at both widths, in light and dark; a complaint comes in,
// is confirmed and dispatched to two units, signed on the phone, handed back, dispatched again, answered, reviewed by the leader,
// published, closed and followed up.
import assert from 'node:assert/strict';
import { Walk, desktop, first, phone, state } from './harness.mjs';

const [base, password, shots] = process.argv.slice(2);
const walk = await Walk.begin(base, shots);
const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>"\'><svg/onload=alert(3)>';
const PAGES = [
  '', 'live', 'posts', 'posts?text=路灯', 'events', 'cases', 'cases/board', 'trends', 'trends/effect', 'reports', 'reports/new', 'reports/lists', 'roster', 'silences', 'routing', 'units', 'units/files',
  'knowledge', 'knowledge/new', 'commitments', 'sources', 'dead-letters', 'system', 'users', 'users/admin', 'audit', 'erasures', 'account',
];
const named = (path) => (path === '' ? 'overview' : path.replace(/\?.*$/, '-found').replaceAll('/', '-'));

let administrator;
let officer;
let leader;
let lead;
let assisting;
let address;

await walk.step('a wrong password is refused', async () => {
  const page = await walk.visitor({ viewport: desktop });
  await page.goto(`${base}login`);
  await page.fill('input[name=name]', 'admin');
  await page.fill('input[name=password]', 'wrong wrong wrong');
  await page.click('button.primary');
  await page.waitForSelector('[role=alert]');
  await walk.accessible(page, 'the sign-in');
});

await walk.step('every page stands at both widths, in light and dark, and can be read with other senses', async () => {
  administrator = await walk.signIn('admin', password, desktop);
  // The archive makes its tables and writes the first posts a moment after the first cases are opened.
  for (const [path, row] of [['', '.case-row'], ['posts', '[data-post]'], ['events', '[data-event]']]) await walk.openUntil(administrator, path, row);
  for (const [name, viewport] of [['desktop', desktop], ['phone', phone]]) {
    await administrator.setViewportSize(viewport);
    for (const path of PAGES) {
      await walk.open(administrator, path, `${named(path)}-${name}`);
      if (name === 'desktop') await walk.accessible(administrator, path);
    }
  }
  await administrator.setViewportSize(desktop);
  await administrator.emulateMedia({ colorScheme: 'dark' });
  for (const path of PAGES) {
    await walk.open(administrator, path, `${named(path)}-dark`);
    await walk.accessible(administrator, `${path}, dark,`);
  }
  await administrator.emulateMedia({ colorScheme: 'light' });
});

await walk.step('administration is a menu for the keyboard too, and a matter is tried', async () => {
  await administrator.goto(base);
  const menu = administrator.locator('details.menu');
  await menu.locator('summary').focus();
  await administrator.keyboard.press('Enter');
  await menu.locator('a', { hasText: '分派' }).waitFor({ state: 'visible' });
  await administrator.keyboard.press('Escape');
  await menu.locator('a', { hasText: '分派' }).waitFor({ state: 'hidden' });
  await menu.locator('summary').click();
  await menu.locator('a', { hasText: '分派' }).click();
  await administrator.waitForURL(/\/routing$/);
  await walk.open(administrator, 'routing?region=990101');
  await administrator.fill('form[data-form=route] input[name=text]', '小区断水');
  await administrator.click('form[data-form=route] button');
  await administrator.waitForSelector('.way [data-told=zhujian]');
  await walk.shoot(administrator, 'routing-tried-desktop');
});

await walk.step('a post and an event can be looked into', async () => {
  await walk.open(administrator, 'posts');
  await administrator.locator('[data-post] h3 a').first().click();
  await administrator.waitForSelector('text=判断与依据');
  await walk.accessible(administrator, 'a post');
  await walk.shoot(administrator, 'post-desktop');
  await administrator.setViewportSize(phone);
  await walk.fits(administrator, 'a post');
  await walk.shoot(administrator, 'post-phone');
  await administrator.setViewportSize(desktop);
  await walk.open(administrator, 'events');
  await administrator.locator('[data-event] a').first().click();
  await administrator.waitForSelector('text=传播来源');
  const event = new URL(administrator.url()).pathname.slice(1);
  await administrator.waitForSelector('.plot canvas');
  await walk.accessible(administrator, 'an event');
  await walk.openAtBoth(administrator, event, 'event');
});

await walk.step('an event is merged into another, after what will happen is said', async () => {
  await administrator.locator('a', { hasText: '并入或拆分' }).click();
  const path = new URL(administrator.url()).pathname.slice(1);
  await walk.openAtBoth(administrator, path, 'event-edit');
  await administrator.locator('form[data-form=merge] input[type=radio]').first().check();
  await administrator.locator('form[data-form=merge] button').click();
  await administrator.waitForSelector('text=请确认并入');
  await walk.shoot(administrator, 'event-confirm-desktop');
  await administrator.locator('form[data-form=confirm] button').click();
  await administrator.waitForSelector('[role=status]');
});

await walk.step('the officer dispatches a case to two units', async () => {
  await walk.addUser(administrator, 'officer', '值班员甲', 'duty-officer');
  await walk.addUser(administrator, 'leader', '分管领导', 'leader');
  officer = await walk.signIn('officer', first, desktop);
  leader = await walk.signIn('leader', first, desktop);
  await walk.open(officer, 'cases?state=pending&level=3');
  if (!(await officer.locator('.case-row a').count())) await walk.open(officer, 'cases?state=pending');
  await officer.locator('.case-row a').first().click();
  await officer.waitForSelector('form[data-action=dispatch]');
  address = new URL(officer.url()).pathname.slice(1);
  await walk.accessible(officer, 'a case');
  await walk.shoot(officer, 'case-desktop');
  await walk.act(officer, 'dispatch', { lead: 'zhujian', assists: ['chengguan'], note: '请尽快核实处理' });
  assert.equal(await state(officer), 'dispatched');
  await walk.open(officer, `${address}/sheet`, 'sheet-desktop');
});

await walk.step('the lead signs on the phone with one thumb, the other hands it back with reasons', async () => {
  await walk.addUser(administrator, 'lead', '住建负责人', 'unit-lead', '990101/zhujian');
  await walk.addUser(administrator, 'assisting', '城管负责人', 'unit-lead', '990101/chengguan');
  lead = await walk.signIn('lead', first, phone);
  assisting = await walk.signIn('assisting', first, phone);
  await walk.open(lead, address, 'case-to-sign-phone');
  await lead.locator('.thumb button', { hasText: '签收' }).click();
  await lead.waitForURL(/done=sign/);
  await walk.open(assisting, address);
  await walk.act(assisting, 'return', { note: '该路段移交住建局管养，不属我局职责。' });
  await walk.open(officer, address);
  assert.equal(await officer.locator('.steps', { hasText: '不属我局职责' }).count(), 1);
});

await walk.step('the office dispatches it again to the lead alone, who cannot be seen by another unit', async () => {
  const now = await state(officer);
  await walk.act(officer, now === 'pending' ? 'dispatch' : 'redispatch', { lead: 'zhujian', assists: [], note: '由住建局单独办理' });
  const answer = await assisting.goto(base + address);
  assert.equal(answer.status(), 404, 'a case of another unit, by its address');
  assert.equal((await assisting.goto(`${base}${address}/sheet`)).status(), 404);
  assert.equal((await assisting.goto(`${base}posts`)).status(), 403);
  await walk.shoot(assisting, 'forbidden-phone');
});

await walk.step('the unit reports, checks its draft and answers', async () => {
  await walk.open(lead, address);
  if (await lead.locator('.thumb button', { hasText: '签收' }).count()) {
    await lead.locator('.thumb button', { hasText: '签收' }).click();
    await lead.waitForURL(/done=sign/);
  }
  await walk.act(lead, 'report', { note: `已到现场核查。${hostile}` });
  await walk.shoot(lead, 'case-phone');
  await lead.locator('details:has(form[data-action=reply]) > summary').click();
  await lead.locator('form[data-action=reply] textarea').fill('经核实情况属实，已安排处理。');
  await lead.locator('form[data-action=reply] button[name=check]').click();
  await lead.waitForSelector('section.reply-check');
  await walk.shoot(lead, 'case-check-phone');
  assert.equal(await state(lead), 'handling');
  const reply = '您好，感谢您的来信。经核实情况属实，依据《江西省城市管理条例》，我局将于2026年12月31日前完成整改，联系电话0795-4500000。';
  await walk.act(lead, 'reply', { note: reply });
  assert.equal(await state(lead), 'review');
});

await walk.step('the leader sends it back once, then approves; it is published, closed and followed up', async () => {
  await walk.open(leader, address);
  await walk.shoot(leader, 'case-review-desktop');
  await walk.act(leader, 'send-back', { note: '请写明责任科室。' });
  await walk.open(lead, address);
  await walk.act(lead, 'reply', { note: '您好，我局市政科已核实，将于2026年12月31日前完成整改，依据《江西省城市管理条例》，联系电话0795-4500000。' });
  await walk.open(leader, address);
  await walk.act(leader, 'approve');
  await walk.open(officer, address);
  assert.equal(await state(officer), 'answered');
  await walk.act(officer, 'close');
  await walk.act(officer, 'follow-up', { note: '已电话回访，来信人认可。', choice: 1 });
  assert.equal(await state(officer), 'followed');
  await walk.open(officer, 'commitments?region=990101');
  assert.ok(await officer.locator('[data-commitment]').count(), 'what the reply promised is kept track of');
});

await walk.step('who wrote a post is shown what is kept of it, and has it erased', async () => {
  await walk.open(administrator, 'posts');
  await administrator.locator('[data-post] h3 a').last().click();
  await administrator.locator('a', { hasText: '本系统保存的内容' }).click();
  const held = new URL(administrator.url()).pathname.slice(1);
  await walk.openAtBoth(administrator, held, 'post-held');
  await walk.accessible(administrator, 'what is kept of a post');
  await administrator.fill('[data-erase] textarea', '发帖人书面申请，已核实身份');
  await administrator.click('[data-erase] button');
  await administrator.waitForURL(/\/erasures\//);
  const erasure = new URL(administrator.url()).pathname.slice(1);
  await walk.openUntil(administrator, erasure, '[data-place], [data-empty]');
  await walk.openAtBoth(administrator, 'erasures', 'erasures-one');
  await walk.openAtBoth(administrator, erasure, 'erasure');
  await walk.accessible(administrator, 'an erasure');
});

await walk.step('what is typed as an attack stays text', async () => {
  for (const path of ['posts?text=', 'cases?text=', 'live?place=', 'routing?place=', 'knowledge?text=', 'audit?subject=', 'trends?subject=']) {
    await walk.open(officer, path.startsWith('audit') ? 'posts' : path + encodeURIComponent(hostile));
  }
  await walk.open(officer, address);
  assert.equal(await officer.locator('img').count(), 0);
});

await walk.step('a lost connection is said, and what follows comes by itself', async () => {
  await officer.route('**/live/stream**', (route) => route.abort('connectionreset'));
  await walk.open(officer, 'live');
  await officer.waitForSelector('[data-connection]:has-text("连接中断")');
  await walk.shoot(officer, 'live-lost-desktop');
  await officer.unroute('**/live/stream**');
  await officer.waitForSelector('[data-connection]:has-text("实时更新中")');
});

await walk.end();
