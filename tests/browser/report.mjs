// A weekly report in the browser: asked for, made while one waits, worded, refused for a number, submitted, returned, signed, sent to a
// list, taken along; at both widths, in light and dark.
import assert from 'node:assert/strict';
import { Walk, desktop, first, phone, state } from './harness.mjs';

const [base, password, shots] = process.argv.slice(2);
const walk = await Walk.begin(base, shots);
const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>';

let administrator;
let officer;
let leader;
let address;

// A page at both widths, in light and dark, for readers with other senses too.
async function look(page, path, shot) {
  for (const [name, viewport] of [['desktop', desktop], ['phone', phone]]) {
    await page.setViewportSize(viewport);
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      await walk.open(page, path);
      await page.waitForLoadState('networkidle');
      await walk.shoot(page, `${shot}-${name}-${scheme}`);
      await walk.accessible(page, `${path}, ${name}, ${scheme},`);
    }
  }
  await page.setViewportSize(desktop);
  await page.emulateMedia({ colorScheme: 'light' });
}

await walk.step('people of the office sign in', async () => {
  administrator = await walk.signIn('admin', password, desktop);
  await walk.addUser(administrator, 'zhang', '张值班', 'duty-officer');
  await walk.addUser(administrator, 'zhou', '周主任', 'leader');
  officer = await walk.signIn('zhang', first, desktop);
  leader = await walk.signIn('zhou', first, desktop);
});

await walk.step('a report is asked for and comes by itself', async () => {
  await look(officer, 'reports', 'reports-empty');
  await look(officer, 'reports/new', 'reports-new');
  await walk.openUntil(officer, 'posts?region=990101', '[data-post]');
  await officer.goto(`${base}reports/new?kind=weekly&region=990101`);
  // The last week of the sample's posts.
  await officer.fill('input[name=from]', '2026-11-16');
  await officer.fill('input[name=to]', '2026-11-22');
  await officer.click('form[data-form=paper] button');
  await officer.waitForSelector('[data-state=draft]');
  address = new URL(officer.url()).pathname.slice(1);
  const frame = officer.frameLocator('.paper-look iframe');
  await frame.locator('h1').waitFor();
  assert.ok((await frame.locator('svg').count()) > 0, 'charts are drawn in the look at it');
  await look(officer, address, 'report-draft');
});

await walk.step('a number is not changed unnoticed, words are', async () => {
  await look(officer, `${address}/edit`, 'report-edit');
  const text = await officer.inputValue('textarea[name=text]');
  const number = /\d+(?=件|帖)/.exec(text)?.[0] ?? /\d+/.exec(text)[0];
  await officer.fill('textarea[name=text]', text.replace(number, `${number}9`));
  await officer.click('form[data-form=paper-text] button');
  await officer.waitForSelector('[role=alert]');
  assert.match(await officer.textContent('[role=alert]'), /数字与生成时不一致/);
  await walk.shoot(officer, 'report-refused');
  await walk.accessible(officer, 'a refused wording');
  await officer.fill('textarea[name=text]', `${text}\n\n${hostile.replace(/\d/g, '')}特此报告。\n`);
  await officer.fill('input[name=number]', '某府办舆〔2026〕47号');
  if (await officer.locator('textarea[name=reason]').count()) await officer.fill('textarea[name=reason]', '按文号惯例');
  await officer.click('form[data-form=paper-text] button');
  await officer.waitForURL(/done=edit/);
  await officer.locator('.difference ins').first().waitFor();
  assert.match(await officer.textContent('.difference'), /特此报告/);
  await look(officer, address, 'report-edited');
});

await walk.step('it is submitted, returned, submitted again and signed by the leader', async () => {
  await officer.goto(base + address);
  await officer.click('form[data-action=submit] button');
  await officer.waitForURL(/done=submit/);
  assert.equal(await officer.locator('form[data-action=approve]').count(), 0);
  await leader.goto(base + address);
  await walk.act(leader, 'return', { note: '请核对第二部分' });
  await officer.goto(base + address);
  await officer.waitForSelector('text=请核对第二部分');
  await officer.click('form[data-action=submit] button');
  await officer.waitForURL(/done=submit/);
  await look(leader, address, 'report-submitted');
  await leader.click('form[data-action=approve] button');
  await leader.waitForURL(/done=approve/);
  assert.equal(await state(leader), 'approved');
});

await walk.step('it is taken along in every form', async () => {
  for (const file of ['docx', 'pdf', 'xlsx', 'html']) {
    const [saved] = await Promise.all([leader.waitForEvent('download'), leader.click(`a[data-file=${file}]`)]);
    assert.match(saved.suggestedFilename(), new RegExp(`^weekly-.*\\.${file}$`));
    await saved.saveAs(`${shots}/report.${file}`);
  }
  const [saved] = await Promise.all([leader.waitForEvent('download'), leader.click('text=数据快照')]);
  assert.match(saved.suggestedFilename(), /\.json$/);
});

await walk.step('a list is made and the report sent to it', async () => {
  await officer.goto(`${base}reports/lists?region=990101`);
  await officer.fill('form[data-form=paper-list] input[name=name]', '周报送阅');
  await officer.locator('form[data-form=paper-list] input[name=contact]').first().check();
  await officer.click('form[data-form=paper-list] button');
  await officer.waitForSelector('[data-list]');
  await look(officer, 'reports/lists?region=990101', 'report-lists');
  await officer.goto(base + address);
  await officer.click('form[data-action=send] button');
  await officer.waitForURL(/done=send/);
  assert.equal(await state(officer), 'sent');
  assert.match(await officer.textContent('main'), /分管领导/);
  await look(officer, address, 'report-sent');
  await look(officer, 'reports?region=990101', 'reports');
});

await walk.end();
