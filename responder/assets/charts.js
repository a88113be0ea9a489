// Draws the charts of a page: each `figure[data-chart]` says what is in it, and has the table of the same numbers for
// those who see no chart. Loaded with uPlot on pages that have any.
'use strict';

{
  const drawn = new Map();
  const paint = document.createElement('canvas').getContext('2d');

  // A colour of the stylesheet as #rrggbb, so that a veil of it can be told.
  const colour = (name) => {
    paint.fillStyle = '#000';
    paint.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    return paint.fillStyle;
  };
  // There is no half a post: steps of an axis that counts.
  const whole = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((times) => times * 10 ** power)).flat();
  const number = (value, digits) => value.toLocaleString('zh-CN', { minimumFractionDigits: digits, maximumFractionDigits: digits });

  // One series of the figure as series of uPlot: its bounds first, which the band between them needs.
  function added(options, data, chart, series) {
    const stroke = colour(series.colour);
    const bounded = series.low.length > 0;
    if (bounded) {
      const bound = { class: 'bound', stroke: 'transparent', points: { show: false } };
      options.bands.push({ series: [options.series.length + 1, options.series.length], fill: `${stroke}2b` });
      options.series.push({ ...bound }, { ...bound });
      data.push(series.low, series.high);
    }
    const bars = series.shape === 'bars';
    options.series.push({
      label: series.name,
      stroke: bars ? 'transparent' : stroke,
      fill: bars ? stroke : undefined,
      width: bars ? 0 : 2,
      dash: series.shape === 'dashes' ? [6, 4] : undefined,
      paths: bars ? uPlot.paths.bars({ size: [0.72, 44] }) : uPlot.paths.linear(),
      points: { show: series.shape === 'line' && series.values.length <= 60, size: 5, fill: stroke },
      value: (_, value, __, at) => {
        if (value === null || value === undefined) return '—';
        const bounds = bounded && typeof series.low[at] === 'number'
          ? `（${number(series.low[at], chart.digits)}–${number(series.high[at], chart.digits)}）` : '';
        return `${number(value, chart.digits)}${chart.unit}${bounds}`;
      },
    });
    data.push(series.values);
  }

  // Upright lines with a word, where something happened.
  function marks(plot, chart, font) {
    const { ctx, bbox } = plot;
    for (const mark of chart.marks) {
      const x = Math.round(plot.valToPos(mark.at, 'x', true));
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = colour('ink');
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.font = `${12 * devicePixelRatio}px ${font}`;
      ctx.textBaseline = 'top';
      const before = x + ctx.measureText(mark.name).width + 10 > bbox.left + bbox.width;
      ctx.textAlign = before ? 'right' : 'left';
      ctx.fillText(mark.name, x + (before ? -5 : 5) * devicePixelRatio, bbox.top);
      ctx.restore();
    }
  }

  function size(target) {
    const width = target.clientWidth;
    return { width, height: width < 480 ? 190 : 230 };
  }

  function draw(figure) {
    const chart = JSON.parse(figure.dataset.chart);
    const target = figure.querySelector('.plot');
    const font = getComputedStyle(document.body).fontFamily;
    const last = chart.ticks.length - 1;
    const axis = { stroke: colour('dim'), font: `12px ${font}`, ticks: { show: false } };
    const options = {
      ...size(figure),
      series: [{ label: '时间', value: (_, at) => chart.names[at] ?? '—' }],
      bands: [],
      scales: {
        x: { time: false, range: () => [-0.5, last + 0.5] },
        y: { range: (_, low, high) => {
          if (low === null) return [0, 1];
          const [from, to] = uPlot.rangeNum(low, high, 0.1, chart.zero);
          return [chart.zero ? Math.min(0, low) : from, to];
        } },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 28,
          splits: (plot) => {
            const widest = Math.max(...chart.ticks.map((tick) => tick.length));
            const every = Math.max(1, Math.ceil(chart.ticks.length * (widest * 11 + 14) / plot.width));
            return chart.ticks.map((_, at) => at).filter((at) => at % every === 0);
          },
          values: (_, places) => places.map((at) => chart.ticks[at]),
        },
        {
          ...axis,
          ...(chart.digits === 0 && { incrs: whole }),
          grid: { stroke: colour('line'), width: 1 },
          size: (_, values) => Math.max(36, ...(values ?? []).map((value) => value.length * 8 + 12)),
          values: (_, values) => values.map((value) => `${value.toLocaleString('zh-CN')}${chart.unit === '%' ? '%' : ''}`),
        },
      ],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      hooks: { draw: [(plot) => marks(plot, chart, font)] },
    };
    const data = [chart.ticks.map((_, at) => at)];
    for (const series of chart.series) added(options, data, chart, series);
    return new uPlot(options, data, target);
  }

  function drawAll(anew) {
    for (const [figure, { plot, json }] of drawn) {
      const kept = figure.isConnected && figure.contains(plot.root) && figure.dataset.chart === json;
      if (kept && !anew) continue;
      plot.destroy();
      widths.unobserve(figure);
      drawn.delete(figure);
    }
    for (const figure of document.querySelectorAll('figure[data-chart]')) {
      if (drawn.has(figure)) continue;
      drawn.set(figure, { plot: draw(figure), json: figure.dataset.chart });
      widths.observe(figure);
    }
  }

  const widths = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const plot = drawn.get(target)?.plot;
      if (plot && target.clientWidth > 0 && plot.width !== target.clientWidth) plot.setSize(size(target));
    }
  });
  drawAll(false);
  document.addEventListener('htmx:after:swap', () => drawAll(false));
  // Light or dark.
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => drawAll(true));
  new MutationObserver(() => drawAll(true)).observe(document.documentElement, { attributes: true });
}
