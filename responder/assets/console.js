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

// A page that follows what happens does not do so while nobody looks, nor while somebody fills in a form of it.
document.addEventListener('htmx:before:request', (event) => {
  if (event.target.id !== 'main') return;
  const filling = event.target.querySelector('form:has(:focus)') ?? event.target.querySelector('details[open] form');
  if (document.hidden || filling !== null) event.preventDefault();
});

// Who is signed out meanwhile is shown the whole page to sign in.
document.addEventListener('htmx:after:request', (event) => {
  if (event.detail.ctx.response.raw.redirected) {
    event.preventDefault();
    location.reload();
  }
});
