// An emergency: many people tell of deaths at once. It stands first on every page, in the level that it has, and its answer is
// for the leader to approve.
import assert from 'node:assert/strict';
import { Walk, desktop, first, state } from './harness.mjs';

const [base, password, shots] = process.argv.slice(2);
const walk = await Walk.begin(base, shots);
let address;

await walk.step('a matter of level Ⅰ stands first, and the officer dispatches it', async () => {
  const administrator = await walk.signIn('admin', password, desktop);
  for (let tries = 0; tries < 150; tries += 1) {
    await walk.open(administrator, 'cases?level=1');
    if (await administrator.locator('.case-row').count()) break;
    await administrator.waitForTimeout(200);
  }
  await walk.open(administrator, '', 'emergency-overview-desktop');
  assert.ok(await administrator.locator('.level.l1').count(), 'the first page shows it');
  await walk.open(administrator, 'cases');
  const row = administrator.locator('.case-row').first();
  assert.ok(await row.locator('.level.l1').count(), 'it is the first of the cases');
  await row.locator('a').first().click();
  await administrator.waitForSelector('form[data-action=dispatch]');
  address = new URL(administrator.url()).pathname.slice(1);
  await walk.shoot(administrator, 'emergency-case-desktop');
  await walk.addUser(administrator, 'officer', '值班员甲', 'duty-officer');
  await walk.addUser(administrator, 'leader', '分管领导', 'leader');
  const officer = await walk.signIn('officer', first, desktop);
  await walk.open(officer, address);
  const chosen = await officer.locator('form[data-action=dispatch] select[name=lead]').inputValue();
  await walk.act(officer, 'dispatch', { assists: [], note: '请立即赶赴现场' });
  await walk.addUser(administrator, 'unit', '单位负责人', 'unit-lead', `990000/${chosen}`);
  const unit = await walk.signIn('unit', first, desktop);
  await walk.open(unit, address);
  await walk.act(unit, 'sign');
  await walk.act(unit, 'reply', { note: '您好，县应急、消防、卫健等部门已到现场处置，伤员已送医，情况将于2小时后再次通报，联系电话0795-4500000。' });
  await walk.open(officer, address);
  assert.equal(await officer.locator('form[data-action=approve]').count(), 0, 'the officer cannot approve it');
  const leader = await walk.signIn('leader', first, desktop);
  await walk.open(leader, address);
  await walk.act(leader, 'approve');
  assert.equal(await state(leader), 'answered');
});

await walk.end();
