// Line charts of the Cost section, drawn by uPlot. Loaded when the first chart is about to be seen.
//
// draw(element, spec) draws into the element, or updates what it drew there before; destroy(element) ends it.
// The spec is `plots::Chart` of the page, as JSON:
//
// spec = {
//   x: { label, unit: "usd" | "count", log, values: [number, rising] },
//   y: { label, unit, log },
//   series: [{ label, role: "cloud" | "edge" | "endpoint" | "browser" | "hybrid", values: [number | null],
//              band: { low: [number | null], high: [number | null] } | null }],
//   marks: [{ x, y, label }],
// }
//
// Every colour and every stroke is a token of drawings.css. The lines differ in dashes and are named at their
// ends, so that colour is never needed to tell them apart; marks are dotted like everything that rests on
// assumptions. The arrow keys move along the chart, and what stands there is told to screen readers.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

const drawn = new WeakMap();
const HEIGHT = 344;
// Room above the plot for the marks' labels, where no line can cross them: one row each, at least two.
const MARK_ROW = 18;
const NAME_ROW = 17;
const NARROW = 480;
// Time between two announcements, in ms: a held arrow key must not queue up a hundred of them.
const QUIET = 350;
const PAGE = 10;

const locale = navigator.language;
const count = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const shortCount = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
const dollars = { style: "currency", currency: "USD" };
const shortUsd = new Intl.NumberFormat(locale, { ...dollars, notation: "compact", minimumFractionDigits: 0, maximumFractionDigits: 1 });
const tinyUsd = new Intl.NumberFormat(locale, { ...dollars, minimumFractionDigits: 0, maximumSignificantDigits: 2 });
const wholeUsd = new Intl.NumberFormat(locale, { ...dollars, maximumFractionDigits: 0 });
const centUsd = new Intl.NumberFormat(locale, dollars);

// A value in full, as the legend shows it.
function full(unit, value) {
  if (value == null) return "–";
  if (unit !== "usd") return count.format(value);
  const size = Math.abs(value);
  return (size >= 100 || size === 0 ? wholeUsd : size >= 1 ? centUsd : tinyUsd).format(value);
}

// A value on an axis.
function short(unit, value) {
  if (value == null) return "";
  if (unit !== "usd") return shortCount.format(value);
  return (Math.abs(value) >= 1 || value === 0 ? shortUsd : tinyUsd).format(value);
}

function axisName(axis) {
  return axis.log ? `${axis.label} (log scale)` : axis.label;
}

// ---- colours and strokes ----

// The canvas needs resolved colours; a token may hold light-dark(), which only a real property resolves.
function palette(element, series) {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const style = getComputedStyle(probe);
  const resolve = (colour) => {
    probe.style.color = colour;
    return style.color;
  };
  const number = (token) => style.getPropertyValue(token).split(" ").map(Number).filter((part) => part > 0);
  const colours = { ink: resolve("var(--ink)"), muted: resolve("var(--muted)"), line: resolve("var(--line)") };
  // A forced palette makes every colour the text's: the ground stays its own, and a band is left to its edges.
  const forced = matchMedia("(forced-colors: active)").matches;
  colours.card = forced ? "Canvas" : resolve("var(--card)");
  if (forced) colours.line = "GrayText";
  colours.lines = series.map(({ role }) => ({
    stroke: resolve(`var(--role-${role})`),
    edge: resolve(`color-mix(in srgb, var(--role-${role}) 55%, transparent)`),
    fill: forced ? "transparent" : resolve(`color-mix(in srgb, var(--role-${role}) 14%, transparent)`),
    dash: number(`--dash-${role}`),
    width: number(`--weight-${role}`)[0] ?? 2,
  }));
  colours.family = getComputedStyle(element).fontFamily;
  probe.remove();
  return colours;
}

// On a phone the axis' name and the lines' names would take the width that the lines need.
function narrow(element) {
  return element.clientWidth < NARROW;
}

// ---- scales ----

// The lines reach from one power of ten to another, but for the last digit of their arithmetic.
function onDecade(value) {
  const decade = 10 ** Math.round(Math.log10(value));
  return Math.abs(value / decade - 1) < 1e-6 ? decade : value;
}

function xRange(axis, min, max) {
  if (min == null) return axis.log ? [1, 10] : [0, 1];
  if (min === max) return axis.log ? [min / 10, min * 10] : [min - 1, max + 1];
  return axis.log ? [onDecade(min), onDecade(max)] : [min, max];
}

function yRange(axis, min, max) {
  if (min == null) return axis.log ? [1, 10] : [0, 1];
  if (axis.log) return uPlot.rangeLog(min, max, 10, false);
  return uPlot.rangeNum(min, max === min ? min + 1 : max, 0.08, true);
}

// Widest text among some, in CSS pixels.
function widest(state, texts) {
  const context = state.measure;
  context.font = `13px ${state.colours.family}`;
  return Math.max(0, ...texts.map((text) => context.measureText(text).width));
}

// ---- the plot ----

// Bands come first, so that every line is drawn above them: 0 is x, then the bands' edges, then the lines.
function columns(series) {
  const bands = [];
  let next = 1;
  series.forEach((line, index) => {
    if (line.band) {
      bands.push({ index, low: next, high: next + 1 });
      next += 2;
    }
  });
  return { bands, first: next };
}

function data(spec) {
  const banded = spec.series.filter((line) => line.band);
  return [spec.x.values, ...banded.flatMap(({ band }) => [band.low, band.high]), ...spec.series.map((line) => line.values)];
}

function hoverPoint() {
  const point = document.createElement("div");
  point.className = "hover-point";
  return point;
}

function axes(state) {
  const { spec, element } = state;
  const shared = {
    font: `13px ${state.colours.family}`,
    labelFont: `13px ${state.colours.family}`,
    labelSize: 20,
    stroke: () => state.colours.muted,
    grid: { stroke: () => state.colours.line, width: 1 },
    ticks: { stroke: () => state.colours.line, width: 1, size: 4 },
  };
  const texts = (axis) => (plot, splits) => splits.map((value) => short(state.spec[axis].unit, value));
  // A log axis names 1, 2 and 5 of each decade where there is room for them; uPlot by itself names 1 alone.
  const digits = ({ bbox, scales: { x } }) => (bbox.width / devicePixelRatio / Math.log10(x.max / x.min) > 230 ? "125" : "1");
  const named = (plot, splits) => splits.map((value) => (digits(plot).includes(value.toExponential(3)[0]) ? value : null));
  return [
    { ...shared, label: axisName(spec.x), values: texts("x"), filter: spec.x.log ? named : undefined, space: 56, size: 32 },
    {
      ...shared,
      label: narrow(element) ? undefined : axisName(spec.y),
      values: texts("y"),
      size: (plot, values) => Math.ceil(widest(state, values ?? []) + 16),
    },
  ];
}

function allSeries(state) {
  const { spec } = state;
  const { bands } = columns(spec.series);
  const plain = { points: { show: false }, pxAlign: 0 };
  const edge = ({ index }) => ({ ...plain, width: 1, stroke: () => state.colours.lines[index].edge });
  return [
    {},
    ...bands.flatMap((band) => [edge(band), edge(band)]),
    ...state.colours.lines.map(({ dash, width }, index) => ({
      ...plain,
      width,
      dash: dash.length ? dash : undefined,
      stroke: () => state.colours.lines[index].stroke,
    })),
  ];
}

function options(state) {
  const { spec, element } = state;
  const { bands, first } = columns(spec.series);
  const rows = Math.max(2, spec.marks.length);
  return {
    width: Math.max(240, element.clientWidth),
    height: HEIGHT,
    // The names stand beside the plot where there is room, and in it where there is not.
    padding: [8 + MARK_ROW * rows, () => (narrow(element) ? 16 : widest(state, state.spec.series.map((s) => s.label)) + 20), 0, 0],
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { show: (plot, column) => (column < first ? undefined : hoverPoint()) },
    },
    legend: { show: false },
    scales: {
      x: { time: false, distr: spec.x.log ? 3 : 1, range: (plot, min, max) => xRange(spec.x, min, max) },
      y: { distr: spec.y.log ? 3 : 1, range: (plot, min, max) => yRange(spec.y, min, max) },
    },
    axes: axes(state),
    bands: bands.map(({ index, low, high }) => ({ series: [high, low], fill: () => state.colours.lines[index].fill })),
    series: allSeries(state),
    hooks: { draw: [() => annotate(state)], setCursor: [() => tell(state)] },
  };
}

// ---- names and marks, on top of everything ----

// Moves rows apart that are closer than `gap`, as little as it takes, within `low` and `high`. Rows keep their order.
export function pushApart(rows, gap, low, high) {
  const order = rows.map((_, index) => index).sort((a, b) => rows[a] - rows[b]);
  const placed = [...rows];
  let least = low;
  for (const index of order) {
    placed[index] = Math.max(placed[index], least);
    least = placed[index] + gap;
  }
  let most = high;
  for (const index of order.reverse()) {
    placed[index] = Math.min(placed[index], most);
    most = placed[index] - gap;
  }
  return placed;
}

function annotate(state) {
  const { plot, spec } = state;
  const context = plot.ctx;
  const scale = devicePixelRatio;
  context.save();
  context.font = `${13 * scale}px ${state.colours.family}`;
  context.lineJoin = "round";
  context.textBaseline = "middle";
  context.setLineDash([]);
  const write = (text, x, y) => {
    context.lineWidth = 4 * scale;
    context.strokeStyle = state.colours.card;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  };
  nameLines(state, write);
  const marks = [...spec.marks].sort((a, b) => a.x - b.x);
  marks.forEach((mark, row) => pin(state, mark, marks.length - 1 - row, write));
  context.restore();
}

function nameLines(state, write) {
  const { plot, spec, element } = state;
  const { ctx: context, bbox } = plot;
  const scale = devicePixelRatio;
  const inside = narrow(element);
  const right = bbox.left + bbox.width;
  const ends = spec.series.flatMap((line, index) => {
    const last = line.values.findLastIndex((value) => value != null);
    if (last < 0) return [];
    return [{ index, label: line.label, x: plot.valToPos(spec.x.values[last], "x", true), y: plot.valToPos(line.values[last], "y", true) }];
  });
  // A name within the plot stands above its line's end.
  const wanted = ends.map(({ y }) => (inside ? y - 11 * scale : y));
  const rows = pushApart(wanted, NAME_ROW * scale, bbox.top + 8 * scale, bbox.top + bbox.height - 8 * scale);
  ends.forEach(({ index, label, x, y }, at) => {
    const { stroke } = state.colours.lines[index];
    context.fillStyle = stroke;
    context.textAlign = inside ? "right" : "left";
    write(label, inside ? right - 4 * scale : right + 14 * scale, rows[at]);
    if (inside) return;
    context.lineWidth = scale;
    context.strokeStyle = stroke;
    context.beginPath();
    context.moveTo(x + 2 * scale, y);
    context.lineTo(right + 11 * scale, rows[at]);
    context.stroke();
  });
}

// A dotted line down, a dot, and a label in the band above, moved sideways where it would leave the chart.
function pin(state, mark, row, write) {
  const { plot } = state;
  const { ctx: context, bbox } = plot;
  const { min, max } = plot.scales.x;
  if (!(mark.x >= min && mark.x <= max)) return;
  const scale = devicePixelRatio;
  const x = plot.valToPos(mark.x, "x", true);
  const y = Math.min(Math.max(plot.valToPos(mark.y, "y", true), bbox.top), bbox.top + bbox.height);
  context.save();
  context.setLineDash([1 * scale, 5 * scale]);
  context.lineCap = "round";
  context.lineWidth = 2 * scale;
  context.strokeStyle = state.colours.ink;
  context.beginPath();
  context.moveTo(x, bbox.top - 4 * scale);
  context.lineTo(x, bbox.top + bbox.height);
  context.stroke();
  context.restore();
  context.fillStyle = state.colours.ink;
  context.strokeStyle = state.colours.card;
  context.lineWidth = 4 * scale;
  context.beginPath();
  context.arc(x, y, 5 * scale, 0, 2 * Math.PI);
  context.stroke();
  context.fill();
  const half = context.measureText(mark.label).width / 2;
  const middle = Math.min(Math.max(x, half + 4 * scale), context.canvas.width - half - 4 * scale);
  context.textAlign = "center";
  write(mark.label, middle, bbox.top - (14 + MARK_ROW * row) * scale);
}

// ---- the values below the plot, and the way to them by keyboard ----

function part(tag, name, text = "") {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}

// A sample of a line's stroke; its looks come from the same tokens.
function sample(role) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  const line = document.createElementNS(space, "line");
  drawing.setAttribute("class", `stroke stroke-${role}`);
  drawing.setAttribute("viewBox", "0 0 40 6");
  drawing.setAttribute("aria-hidden", "true");
  for (const [name, value] of [["x1", 0], ["y1", 3], ["x2", 40], ["y2", 3]]) line.setAttribute(name, value);
  drawing.append(line);
  return drawing;
}

function legend(state) {
  const place = part("div", "chart-legend");
  state.where = part("p", "legend-x");
  state.values = state.spec.series.map((line) => {
    const item = part("div", "legend-line");
    const name = part("span", "legend-name");
    name.append(sample(line.role), line.label);
    const value = part("strong", "legend-value num");
    const band = part("span", "legend-band num");
    item.append(name, value, band);
    place.append(item);
    return { value, band };
  });
  // The chart is one stop of the keyboard and says itself what it shows; the legend is for the eyes.
  place.setAttribute("aria-hidden", "true");
  place.prepend(state.where);
  state.voice = part("p", "visually-hidden");
  state.voice.setAttribute("aria-live", "polite");
  state.element.append(place, state.voice);
}

// Where the cursor is; the last position while nobody points at the chart.
function tell(state) {
  const { plot, spec } = state;
  if (!plot) return;
  const at = plot.cursor.idx ?? spec.x.values.length - 1;
  const x = `${spec.x.label}: ${full(spec.x.unit, spec.x.values[at])}`;
  state.where.textContent = x;
  const told = spec.series.map((line, index) => {
    const value = full(spec.y.unit, line.values[at]);
    const [low, high] = [line.band?.low[at], line.band?.high[at]];
    const [from, to] = [low, high].map((end) => full(spec.y.unit, end));
    const known = low != null && high != null;
    state.values[index].value.textContent = value;
    state.values[index].band.textContent = known ? `P10–P90: ${from} to ${to}` : "";
    return `${line.label} ${value}${known ? `, 80 % of trials between ${from} and ${to}` : ""}`;
  });
  if (state.byKey) announce(state, [x, ...told].join("; "));
}

function announce(state, text) {
  state.saying = text;
  state.pause ??= setTimeout(() => {
    state.pause = undefined;
    state.voice.textContent = state.saying;
  }, QUIET);
}

function walk(state, event) {
  const { plot, spec } = state;
  const last = spec.x.values.length - 1;
  const at = plot.cursor.idx;
  const moved = {
    ArrowRight: (at ?? -1) + 1,
    ArrowLeft: (at ?? last + 1) - 1,
    PageDown: (at ?? -1) + PAGE,
    PageUp: (at ?? last + 1) - PAGE,
    Home: 0,
    End: last,
  }[event.key];
  if (event.key === "Escape") return leave(state);
  if (moved === undefined || last < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  stand(state, Math.min(Math.max(moved, 0), last), true);
}

function stand(state, at, told) {
  const { plot, spec } = state;
  state.byKey = told;
  plot.setCursor({ left: plot.valToPos(spec.x.values[at], "x"), top: plot.over.clientHeight / 2 });
  state.byKey = false;
}

function leave(state) {
  state.plot.setCursor({ left: -10, top: -10 });
  state.element.blur();
}

// ---- life ----

// A chart is built anew only when its shape changes; a moved slider changes just its data.
function shape({ x, y, series, marks }) {
  const lines = series.map(({ label, role, band }) => [label, role, band != null]);
  return JSON.stringify([x.label, x.unit, x.log, y.label, y.unit, y.log, lines, Math.max(2, marks.length)]);
}

function watch(state) {
  const { element } = state;
  const size = new ResizeObserver(() => {
    const width = Math.max(240, element.clientWidth);
    if (width === state.plot.width) return;
    // The vertical axis has its name only where there is room for it.
    state.plot.axes[1].label = narrow(element) ? undefined : axisName(state.spec.y);
    state.plot.setSize({ width, height: HEIGHT });
  });
  size.observe(element);
  const recolour = () => {
    state.colours = palette(element, state.spec.series);
    state.plot.redraw(false, true);
  };
  const media = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) => matchMedia(query));
  media.forEach((query) => query.addEventListener("change", recolour));
  const chosen = new MutationObserver(recolour);
  chosen.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  const key = (event) => walk(state, event);
  element.addEventListener("keydown", key);
  return () => {
    size.disconnect();
    chosen.disconnect();
    media.forEach((query) => query.removeEventListener("change", recolour));
    element.removeEventListener("keydown", key);
    clearTimeout(state.pause);
  };
}

export function draw(element, spec) {
  const before = drawn.get(element);
  const now = shape(spec);
  if (before?.shape === now) {
    before.spec = spec;
    before.plot.setData(data(spec));
    tell(before);
    return;
  }
  // Whoever moves along the chart stays where they are. Whoever was told what stands there, or waits for it, is told anew.
  const place = before?.plot.cursor.idx;
  const waits = before !== undefined && (before.pause !== undefined || before.voice.textContent !== "");
  if (before) clear(before);
  const state = { element, spec, shape: now, colours: palette(element, spec.series) };
  state.measure = document.createElement("canvas").getContext("2d");
  element.tabIndex = 0;
  state.plot = new uPlot(options(state), data(spec), element);
  legend(state);
  state.unwatch = watch(state);
  drawn.set(element, state);
  tell(state);
  // The plot has its scales from a microtask of its own on.
  if (place < spec.x.values.length) queueMicrotask(() => drawn.get(element) === state && stand(state, place, waits));
}

// Without its tabindex an element would lose the focus.
function clear(state) {
  state.unwatch();
  state.plot.destroy();
  state.element.replaceChildren();
}

export function destroy(element) {
  const state = drawn.get(element);
  if (!state) return;
  clear(state);
  element.removeAttribute("tabindex");
  drawn.delete(element);
}

// esbuild puts uPlot's rules beside this file; they are linked here because only this file needs them.
const rules = document.createElement("link");
rules.rel = "stylesheet";
rules.href = new URL("charts.css", import.meta.url).href;
document.head.append(rules);
