// Draws the posts of the day against what is usual. The table beside it says the same.
'use strict';

function drawDay() {
  const place = document.querySelector('[data-day]');
  if (place === null || place.dataset.drawn === place.dataset.day) return;
  place.dataset.drawn = place.dataset.day;
  place.replaceChildren();
  const day = JSON.parse(place.dataset.day);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const posts = (_, value) => (value === null ? '—' : `${Number.isInteger(value) ? value : value.toFixed(1)}帖`);
  const hour = (seconds) => `${new Date((seconds + 8 * 3600) * 1000).getUTCHours()}时`;
  const axis = { stroke: colour('--dim'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
  const bars = uPlot.paths.bars({ size: [0.7, 40] });
  const chart = new uPlot({
    width: place.clientWidth,
    height: 190,
    cursor: { y: false, drag: { setScale: false } },
    scales: { x: { time: false }, y: { range: (_, low, high) => [0, Math.max(4, high * 1.1)] } },
    axes: [
      { ...axis, grid: { show: false }, values: (_, splits) => splits.map(hour), incrs: [3600, 7200, 10800, 14400, 21600], size: 26 },
      { ...axis, size: 40 },
    ],
    series: [
      { label: '时段', value: (_, value) => (value === null ? '—' : hour(value)) },
      { label: '帖文', paths: bars, fill: colour('--chart'), stroke: colour('--chart'), width: 0, points: { show: false }, value: posts },
      { label: '其中负面', paths: bars, fill: colour('--negative'), stroke: colour('--negative'), width: 0, points: { show: false }, value: posts },
      { label: '同时段平均', stroke: colour('--ink'), width: 2, dash: [5, 4], points: { show: false }, value: posts },
    ],
  }, [day.hours, day.posts, day.negative, day.usual], place);
  new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: 190 })).observe(place);
}

drawDay();
// The page follows what happens: the part that was drawn is put in anew.
document.addEventListener('htmx:after:swap', drawDay);
