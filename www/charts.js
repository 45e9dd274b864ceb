// Line charts of the Cost section, drawn by uPlot. Loaded when the first chart is about to be seen.
//
// draw(element, spec) draws into the element, or updates what it drew there before; destroy(element) ends it.
//
// spec = {
//   x: { label, log, values: [number] },
//   y: { label, log },
//   series: [{ label, role: "cloud" | "edge", values: [number | null] }],
//   marks: [{ x, y, label }],
// }
//
// Every colour is a token of styles.css. The two lines differ in weight and are labelled at their ends, so
// that colour is never needed to tell them apart; marks are dotted like everything that rests on assumptions.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

const drawn = new WeakMap();
const HEIGHT = 344;
// Room above the plot for the marks' labels, two lines of them, where no line can cross them.
const BAND = 44;
const NARROW = 480;

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const dollars = (value) => (value == null ? "–" : value < 0 ? `−$${whole.format(-value)}` : `$${whole.format(value)}`);
const shortDollars = (value) => (value == null ? "" : value < 0 ? `−$${short.format(-value)}` : `$${short.format(value)}`);

// The canvas needs resolved colours; a token may hold light-dark(), which only a real property resolves.
function palette(element) {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const resolve = (token) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const colours = { ink: resolve("--ink"), muted: resolve("--muted"), line: resolve("--line"), card: resolve("--card") };
  probe.remove();
  return colours;
}

function font(element) {
  return `13px ${getComputedStyle(element).fontFamily}`;
}

// On a phone the axis' name would take the width that the lines need; the heading says it too.
function narrow(element) {
  return element.clientWidth < NARROW;
}

function decade(value) {
  return 10 ** Math.round(Math.log10(value));
}

function options(state) {
  const { spec, element } = state;
  const text = font(element);
  const axis = {
    font: text,
    labelFont: text,
    labelSize: 20,
    stroke: () => state.colours.muted,
    grid: { stroke: () => state.colours.line, width: 1 },
    ticks: { stroke: () => state.colours.line, width: 1, size: 4 },
  };
  const money = (plot, splits) => splits.map(shortDollars);
  const plain = (plot, splits) => splits.map((value) => (value == null ? "" : short.format(value)));
  return {
    width: Math.max(240, element.clientWidth),
    height: HEIGHT,
    padding: [BAND, 24, 0, 0],
    cursor: { drag: { x: false, y: false }, points: { size: 7 } },
    legend: { live: true, markers: { show: false } },
    scales: {
      // The lines reach from one power of ten to another, but for the last digit of their arithmetic.
      x: { time: false, distr: spec.x.log ? 3 : 1, range: (plot, min, max) => (spec.x.log ? [decade(min), decade(max)] : [min, max]) },
      y: spec.y.log ? { distr: 3, range: (plot, min, max) => uPlot.rangeLog(min ?? 1, max ?? 10, 10, false) } : {},
    },
    axes: [
      { ...axis, label: spec.x.label, values: plain, space: 56 },
      { ...axis, label: narrow(element) ? undefined : spec.y.label, values: money, size: 64 },
    ],
    series: [
      { label: spec.x.label, value: (plot, value) => (value == null ? "–" : whole.format(value)) },
      ...spec.series.map((line) => ({
        label: line.label,
        stroke: () => (line.role === "edge" ? state.colours.ink : state.colours.muted),
        width: line.role === "edge" ? 3 : 1.5,
        points: { show: false },
        pxAlign: 0,
        value: (plot, value) => dollars(value),
      })),
    ],
    hooks: { draw: [(plot) => annotate(plot, state)] },
  };
}

// Labels at the ends of the lines, then the marks, on top of everything.
function annotate(plot, state) {
  const context = plot.ctx;
  const scale = devicePixelRatio;
  context.save();
  context.font = font(state.element).replace("13px", `${13 * scale}px`);
  context.lineWidth = 4 * scale;
  context.lineJoin = "round";
  context.strokeStyle = state.colours.card;
  const write = (text, x, y) => {
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  };
  nameLines(plot, state, write);
  const marks = [...state.spec.marks].sort((a, b) => a.x - b.x);
  marks.forEach((mark, row) => pin(plot, state, mark, marks.length - 1 - row, write));
  context.restore();
}

function nameLines(plot, state, write) {
  const { ctx: context, bbox } = plot;
  const scale = devicePixelRatio;
  const ends = state.spec.series.map((line) => {
    const last = line.values.findLastIndex((value) => value != null);
    return last < 0 ? null : { line, y: plot.valToPos(line.values[last], "y", true) };
  });
  const [upper, lower] = [...ends].filter(Boolean).sort((a, b) => a.y - b.y);
  for (const end of ends) {
    if (!end) continue;
    context.fillStyle = end.line.role === "edge" ? state.colours.ink : state.colours.muted;
    context.textAlign = "right";
    // Away from the other line, so that the two names never meet.
    const above = end === upper && end.y > bbox.top + 12 * scale;
    const below = end === lower && upper !== lower;
    const y = below ? end.y + 18 * scale : above ? end.y - 10 * scale : end.y + 18 * scale;
    write(end.line.label, bbox.left + bbox.width - 4 * scale, Math.min(y, bbox.top + bbox.height - 6 * scale));
  }
}

// A dotted line down, a dot, and a label in the band above, moved sideways where it would leave the chart.
function pin(plot, state, mark, row, write) {
  const { ctx: context, bbox } = plot;
  const { min, max } = plot.scales.x;
  if (!(mark.x >= min && mark.x <= max)) return;
  const scale = devicePixelRatio;
  const x = plot.valToPos(mark.x, "x", true);
  const y = plot.valToPos(mark.y, "y", true);
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
  context.beginPath();
  context.arc(x, y, 5 * scale, 0, 2 * Math.PI);
  context.stroke();
  context.fill();
  const half = context.measureText(mark.label).width / 2;
  const middle = Math.min(Math.max(x, half + 4 * scale), context.canvas.width - half - 4 * scale);
  context.textAlign = "center";
  write(mark.label, middle, bbox.top - (10 + 18 * row) * scale);
}

// A chart is redrawn from scratch only when its shape changes; a moved slider changes just its data.
function sameShape(a, b) {
  return a.x.label === b.x.label && a.x.log === b.x.log && a.y.log === b.y.log && a.series.map((s) => s.label).join() === b.series.map((s) => s.label).join();
}

function build(state) {
  state.plot?.destroy();
  state.colours = palette(state.element);
  state.plot = new uPlot(options(state), data(state.spec), state.element);
}

function data(spec) {
  return [spec.x.values, ...spec.series.map((line) => line.values)];
}

function watch(state) {
  const size = new ResizeObserver(() => {
    const width = Math.max(240, state.element.clientWidth);
    if (width !== state.plot.width) state.plot.setSize({ width, height: HEIGHT });
  });
  size.observe(state.element);
  const recolour = () => {
    state.colours = palette(state.element);
    state.plot.redraw(false, true);
  };
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", recolour);
  const chosen = new MutationObserver(recolour);
  chosen.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => {
    size.disconnect();
    chosen.disconnect();
    system.removeEventListener("change", recolour);
  };
}

export function draw(element, spec) {
  const before = drawn.get(element);
  if (before && sameShape(before.spec, spec)) {
    before.spec = spec;
    before.plot.setData(data(spec));
    return;
  }
  destroy(element);
  const state = { element, spec };
  build(state);
  state.unwatch = watch(state);
  drawn.set(element, state);
}

export function destroy(element) {
  const state = drawn.get(element);
  if (!state) return;
  state.unwatch();
  state.plot.destroy();
  drawn.delete(element);
}

// esbuild puts uPlot's rules beside this file; they are linked here because only this file needs them.
const rules = document.createElement("link");
rules.rel = "stylesheet";
rules.href = new URL("charts.css", import.meta.url).href;
document.head.append(rules);
