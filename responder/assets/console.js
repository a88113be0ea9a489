// Figures that follow what happens, by the API that programs use too. Pages are whole without this.
'use strict';

const EVERY = 15_000;
const figures = document.querySelectorAll('[data-count]');

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch('/api/v1/counts', { headers: { accept: 'application/json' } });
  if (!answer.ok) return;
  const counts = await answer.json();
  for (const figure of figures) {
    const count = counts[figure.dataset.count];
    figure.textContent = count;
    if (figure.dataset.alarm !== undefined) figure.parentElement.classList.toggle('alarm', count > 0);
  }
}

if (figures.length > 0) {
  // A responder that restarts is asked again next time.
  setInterval(() => refresh().catch(() => {}), EVERY);
}
