// Posts as they come: the page has the newest, this adds those that follow. It waits while somebody points at the list, reads
// in it with the keyboard, or says so; and it says when the connection is lost.
'use strict';

const MOST = 100;
const AGAIN = 5_000;
const list = document.querySelector('[data-stream]');
const bar = document.querySelector('[data-live-bar]');
const connection = bar.querySelector('[data-connection]');
const pause = bar.querySelector('[data-pause]');
const waitingButton = bar.querySelector('[data-waiting]');
const skippedNote = document.querySelector('[data-skipped]');
const correctForm = document.querySelector('[data-correct]');
const { csrf } = list.dataset;

const waiting = [];
// Posts among those waiting of which an officer said something.
const unseen = new Set();
let last = '';
let skipped = 0;
let held = false;
let pointed = false;

// A button that was clicked keeps the focus, which nobody sees: only where the keyboard is counts, and a form that is filled in.
const isPaused = () => held || pointed || list.querySelector(':focus-visible, .correct') !== null;

// A line as the server made it, with what only this session knows.
function line(html) {
  const holder = document.createElement('template');
  holder.innerHTML = html;
  const item = holder.content.querySelector('li');
  const judge = item.querySelector('.judge');
  if (csrf === undefined) judge.remove();
  else judge.elements.csrf.value = csrf;
  return item;
}

function show(html) {
  const item = line(html);
  const known = list.querySelector(`[data-post="${CSS.escape(item.dataset.post)}"]`);
  // What was assessed again stays where it is, and what an officer said of it stays said.
  if (known !== null) {
    if (known.querySelector('.verdict') === null) known.replaceWith(item);
    return;
  }
  item.classList.add('fresh');
  list.prepend(item);
  document.querySelector('[data-empty]').hidden = true;
  while (list.children.length > MOST) list.lastElementChild.remove();
}

// What another officer said of a post is seen here too, but not while the line is being corrected.
async function judged(id) {
  const find = () => list.querySelector(`[data-post="${CSS.escape(id)}"]`);
  if (find() === null) {
    if (waiting.some((html) => line(html).dataset.post === id)) unseen.add(id);
    return;
  }
  const answer = await fetch(`/live/posts/${encodeURIComponent(id)}`).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const said = line(await answer.text());
  const item = find();
  const words = (of) => of.querySelector('.verdict')?.textContent;
  if (item !== null && item.querySelector('.correct') === null && words(item) !== words(said)) item.replaceWith(said);
}

function showWaiting() {
  for (const html of waiting.splice(0)) show(html);
  for (const id of unseen) judged(id);
  unseen.clear();
}

function settle() {
  if (!isPaused()) showWaiting();
  waitingButton.hidden = waiting.length === 0;
  waitingButton.textContent = `有 ${waiting.length} 条新帖文，点此显示`;
  if (!skippedNote.hidden || skipped > 0) {
    skippedNote.hidden = skipped === 0;
    skippedNote.textContent = `新帖文来得太快或网络较慢，有 ${skipped} 条没有逐条显示（未按筛选条件计），请到“舆情”页查看。`;
  }
}

function say(words, kind) {
  connection.textContent = words;
  connection.className = `state ${kind}`;
}

// A stream that the server refuses is not opened again by the browser itself.
async function refused() {
  const answer = await fetch(address(), { method: 'HEAD' }).catch(() => null);
  if (answer?.redirected || answer?.status === 401 || answer?.status === 403) location.reload();
  if (answer?.status === 429) say('本次登录打开的实时页面过多，请关闭一些', 'failing');
  else if (answer?.status === 503) say('观看人数已满，稍后自动重试', 'failing');
  else say('连接中断，重新连接中…', 'failing');
  setTimeout(open, AGAIN);
}

function address() {
  const stream = new URL(list.dataset.stream, location.href);
  if (last !== '') stream.searchParams.set('after', last);
  return stream.href;
}

function open() {
  const source = new EventSource(address());
  source.addEventListener('open', () => say('实时更新中', 'well'));
  source.addEventListener('post', (event) => {
    last = event.lastEventId;
    waiting.push(event.data);
    // What a pause gathers is bounded too.
    if (waiting.length > MOST) {
      waiting.shift();
      skipped += 1;
    }
    settle();
  });
  source.addEventListener('verdict', (event) => judged(decodeURIComponent(event.data)));
  source.addEventListener('skipped', (event) => {
    skipped += Number(event.data);
    settle();
  });
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) refused();
    else say('连接中断，重新连接中…', 'failing');
  });
}

pause.addEventListener('click', () => {
  held = !held;
  pause.textContent = held ? '继续' : '暂停';
  settle();
});
waitingButton.addEventListener('click', () => {
  showWaiting();
  settle();
});
if (matchMedia('(hover: hover)').matches) {
  list.addEventListener('pointerenter', () => { pointed = true; });
  list.addEventListener('pointerleave', () => { pointed = false; settle(); });
}
// Where the focus goes is known a moment after it has left.
list.addEventListener('focusout', () => setTimeout(settle));

// What an officer says of a post is sent without leaving the page; the line comes back as it is then.
list.addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target;
  const item = form.closest('li');
  const body = new URLSearchParams(new FormData(form, event.submitter));
  body.set('csrf', csrf);
  body.set('back', `/live/posts/${encodeURIComponent(item.dataset.post)}`);
  const answer = await fetch(form.action, { method: 'POST', body }).catch(() => null);
  if (answer?.status === 401 || answer?.status === 403) {
    location.reload();
  } else if (answer?.ok) {
    const said = line(await answer.text());
    item.replaceWith(said);
    said.querySelector('.verdict')?.setAttribute('role', 'status');
    said.querySelector('.judge button').focus({ preventScroll: true });
  } else {
    const note = item.querySelector('.unkept') ?? document.createElement('p');
    note.className = 'unkept';
    note.setAttribute('role', 'alert');
    note.textContent = '没有保存，请稍后再试。';
    item.append(note);
  }
});
list.addEventListener('click', (event) => {
  const item = event.target.closest('li');
  if (event.target.matches('[data-cancel]')) {
    item.querySelector('.correct').remove();
    item.querySelector('.judge a').focus();
    settle();
  } else if (event.target.matches('.judge a')) {
    event.preventDefault();
    if (item.querySelector('.correct') !== null) return;
    const form = correctForm.content.cloneNode(true).querySelector('form');
    form.action = item.querySelector('.judge').action;
    item.append(form);
    form.querySelector('select').focus();
  }
});

bar.hidden = false;
if (csrf !== undefined) for (const form of list.querySelectorAll('.judge')) form.elements.csrf.value = csrf;
open();
