// Charts that live on: what the server has drawn is drawn again by uPlot, with a cursor that tells
// figures and sample sizes. Without uPlot, or without a script at all, the server's drawing stays.

const FIGURES = {
  requests: { take: (side) => side.requests_per_second, now: (side) => side.requests_per_second, spell: rate, least: 1 },
  errors: { take: (side) => side.error_rate, now: (side) => side.error_rate, spell: percent, least: 0.02 },
  p95: { take: (side) => side.p95, now: (side) => side.p95, spell: latency, least: 0.05 },
};
const SIDES = ["legacy", "modern"];
const READ_EVERY = 20_000; // ms; minutes are kept once a minute, and decisions make a chart read at once
const LIVE_UP_TO = 3600; // s; in a longer range one more second is no wider than a pixel

function rate(value) {
  return value === 0 ? "0/s" : `${value < 100 ? trimmed(value, 1) : Math.round(value).toLocaleString("en")}/s`;
}

function percent(value) {
  return `${trimmed(value * 100, value !== 0 && value < 0.1 ? 2 : 1)}%`;
}

function latency(value) {
  return value < 1 ? `${trimmed(value * 1000, value < 0.01 ? 1 : 0)} ms` : `${trimmed(value, 2)} s`;
}

function trimmed(value, digits) {
  return String(Number(value.toFixed(digits)));
}

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

class Chart {
  constructor(box) {
    this.box = box;
    this.figure = FIGURES[box.dataset.figure];
    this.series = undefined;
    this.live = []; // [at, legacy, modern] of the seconds since the series was read
    this.readout = document.createElement("p");
    this.readout.className = "readout";
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    addEventListener("cutover:status", (event) => this.add(event.detail));
    addEventListener("cutover:decided", () => this.read());
    document.addEventListener("visibilitychange", () => this.read());
    setInterval(() => this.read(), READ_EVERY);
    this.read();
  }

  async read() {
    if (document.hidden) return;
    const { route, range } = this.box.dataset;
    const answer = await fetch(`/api/v1/series?${new URLSearchParams({ route, range })}`).catch(() => undefined);
    if (!answer?.ok) return; // what is shown stays; the page says when the controller is away
    this.series = await answer.json();
    this.live = this.live.filter(([at]) => at > (this.series.at.at(-1) ?? 0));
    this.draw();
  }

  add(status) {
    const route = status.routes.find((each) => each.id === this.box.dataset.route);
    if (!route || !this.series || this.span() > LIVE_UP_TO) return;
    this.live.push([Date.parse(status.at) / 1000, ...SIDES.map((side) => this.figure.now(route[side]))]);
    const [since, until] = this.window();
    this.plot?.batch(() => {
      this.plot.setData(this.data(), false);
      this.plot.setScale("x", { min: since, max: until });
    });
  }

  span() {
    return (Date.parse(this.series.until) - Date.parse(this.series.since)) / 1000;
  }

  window() {
    const until = Math.max(Date.parse(this.series.until) / 1000, this.live.at(-1)?.[0] ?? 0);
    return [until - this.span(), until];
  }

  data() {
    const { series, live } = this;
    return [
      [...series.at, ...live.map(([at]) => at)],
      ...SIDES.map((side, n) => [...this.figure.take(series[side]), ...live.map((each) => each[n + 1])]),
    ];
  }

  size() {
    return { width: this.box.clientWidth, height: Math.round(Math.min(300, Math.max(200, this.box.clientWidth / 4))) };
  }

  draw() {
    if (!this.series) return;
    this.plot?.destroy();
    const [since, until] = this.window();
    const axis = { stroke: token("muted"), grid: { stroke: token("line"), width: 1 }, ticks: { show: false }, font: `11.5px ${token("sans")}` };
    const holder = document.createElement("div");
    holder.setAttribute("role", "img");
    holder.setAttribute("aria-label", `${this.box.dataset.title} of both sides over time; the same as figures under “as a table”`);
    this.box.replaceChildren(holder, this.readout);
    const options = {
      ...this.size(),
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      legend: { show: false },
      padding: [18, 18, 0, 0],
      cursor: { y: false, points: { size: 6 }, drag: { x: true, y: false } },
      scales: {
        x: { min: since, max: until },
        y: { range: (_, __, most) => [0, Math.max(this.figure.least, (most ?? 0) * 1.08)] },
      },
      axes: [
        { ...axis, size: 26, values: uPlotTimes },
        { ...axis, size: 62, values: (_, ticks) => ticks.map((each) => this.figure.spell(each)) },
      ],
      series: [
        {},
        ...SIDES.map((side) => ({
          label: side, stroke: token(side), width: 1.6, spanGaps: false,
          fill: side === "modern" ? `${token(side)}17` : undefined,
          points: { show: false },
        })),
      ],
      hooks: { draw: [(plot) => this.flags(plot)], setCursor: [(plot) => this.tell(plot)] },
    };
    for (const side of SIDES) {
      const told = document.querySelector(`#chart-legend [data-size=${side}]`);
      const size = this.series[side].requests.reduce((sum, each) => sum + each, 0);
      if (told) told.textContent = size.toLocaleString("en");
    }
    this.plot = new uPlot(options, this.data(), holder);
    this.tell(this.plot);
  }

  // Decisions as vertical lines with a label, left out where it would lie over the one before.
  flags(plot) {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${11 * ratio}px ${token("sans")}`;
    ctx.lineWidth = ratio;
    const taken = [];
    // Labels go first to those that tell more than that there were other rules.
    for (const mark of this.series.marks.toSorted((a, b) => (a.kind === "rules") - (b.kind === "rules"))) {
      const x = Math.round(plot.valToPos(Date.parse(mark.at) / 1000, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = ctx.fillStyle = token({ rollback: "act", step: "accent", deploy: "ok" }[mark.kind] ?? "muted");
      ctx.setLineDash(mark.kind === "rules" ? [2 * ratio, 3 * ratio] : []);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top - 12 * ratio);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const wide = ctx.measureText(mark.label).width + 8 * ratio;
      const isLate = x + wide > bbox.left + bbox.width;
      const begins = isLate ? x - wide : x;
      if (taken.some(([start, end]) => begins < end && begins + wide > start)) continue;
      taken.push([begins, begins + wide]);
      ctx.textAlign = isLate ? "right" : "left";
      ctx.fillText(mark.label, isLate ? x - 4 * ratio : x + 4 * ratio, bbox.top - 5 * ratio);
    }
    ctx.restore();
  }

  tell(plot) {
    const { series } = this;
    const at = plot.cursor.idx ?? plot.data[0].length - 1;
    if (at < 0) {
      this.readout.textContent = "Nothing was measured in this range. What comes now shows up within a minute.";
      return;
    }
    const when = new Date(plot.data[0][at] * 1000).toISOString().replace("T", " ").slice(0, 19);
    const parts = SIDES.map((side, n) => {
      const value = plot.data[n + 1][at];
      const size = series[side].requests[at];
      return `${side} ${value == null ? "–" : this.figure.spell(value)}${size === undefined ? "" : ` (n ${size.toLocaleString("en")})`}`;
    });
    this.readout.textContent = `${when} UTC · ${parts.join(" · ")}`;
  }
}

function uPlotTimes(plot, ticks, _, __, step) {
  const withDay = step >= 86_400;
  return ticks.map((each) => {
    const text = new Date(each * 1000).toISOString();
    return withDay ? text.slice(5, 10) : text.slice(11, 16);
  });
}

if (window.uPlot) {
  for (const box of document.querySelectorAll("[data-chart]")) new Chart(box);
}
