// A quiet night: nothing was collected, no case is open. Every page says so, at both widths.
import assert from 'node:assert/strict';
import { Walk, desktop, phone } from './harness.mjs';

const [base, password, shots] = process.argv.slice(2);
const walk = await Walk.begin(base, shots);

await walk.step('pages without anything to show say what they would', async () => {
  const administrator = await walk.signIn('admin', password, desktop);
  for (const [name, viewport] of [['desktop', desktop], ['phone', phone]]) {
    await administrator.setViewportSize(viewport);
    for (const path of ['', 'live', 'posts', 'events', 'cases', 'cases/board', 'trends', 'roster', 'silences', 'knowledge', 'commitments', 'dead-letters', 'system']) {
      await walk.open(administrator, path, `quiet-${path.replaceAll('/', '-') || 'overview'}-${name}`);
      if (name === 'desktop') await walk.accessible(administrator, path);
      const main = await administrator.locator('main').innerText();
      assert.ok(main.length > 10, `${path} is empty`);
    }
  }
});

await walk.end();
