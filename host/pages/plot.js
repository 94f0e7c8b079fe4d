// A plot of the last ten minutes, a value a second. It is an image with words: what it says now, and the most of the time.
import { make, setText } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 100;

function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

export class Plot {
  #title;
  #words;
  #lines;
  #values;
  #image = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", class: "plot-image" });
  #now = make("span", { class: "plot-now" });
  #most = make("span", { class: "plot-most" });
  #at = null;

  /** `lines` names each line's figure; `words(value)` says a value with its unit. */
  constructor(title, lines, words) {
    this.#title = title;
    this.#words = words;
    this.#values = lines.map(() => []);
    this.#lines = lines.map((_, number) => svg("polyline", { class: `plot-line line-${number}`, "vector-effect": "non-scaling-stroke" }));
    this.#image.append(...this.#lines);
    const names = lines.length > 1
      ? lines.map((name, number) => make("span", { class: `plot-key line-${number}` }, name)) : [];
    this.box = make(
      "figure",
      { class: "plot" },
      make("figcaption", {}, make("span", { class: "plot-title" }, title), this.#now),
      this.#image,
      make("div", { class: "plot-foot" }, make("span", {}, "10 min ago"), ...names, this.#most),
    );
    this.#image.addEventListener("pointermove", (event) => {
      const { left, width } = this.#image.getBoundingClientRect();
      this.#at = Math.min(WIDTH - 1, Math.max(0, Math.round(((event.clientX - left) / width) * WIDTH)));
      this.#say();
    });
    this.#image.addEventListener("pointerleave", () => {
      this.#at = null;
      this.#say();
    });
    this.#draw();
  }

  /** The values of the past, a list a line; they end now. */
  begin(values) {
    this.#values = values.map((list) => list.slice(-WIDTH));
    this.#draw();
  }

  /** One second more: a value a line. */
  add(values) {
    values.forEach((value, number) => {
      const list = this.#values[number];
      list.push(value);
      if (list.length > WIDTH) list.shift();
    });
    this.#draw();
  }

  #draw() {
    const most = Math.max(...this.#values.flat(), 0);
    this.#values.forEach((list, number) => {
      const from = WIDTH - list.length;
      const y = (value) => (most > 0 ? HEIGHT - 2 - (value / most) * (HEIGHT - 6) : HEIGHT - 2);
      this.#lines[number].setAttribute("points", list.map((value, at) => `${from + at},${y(value).toFixed(1)}`).join(" "));
    });
    setText(this.#most, `most ${this.#words(most)}`);
    this.#say();
    this.#image.setAttribute("aria-label", `${this.#title}: now ${this.#valueAt(WIDTH - 1)}, at most ${this.#words(most)} in ten minutes`);
  }

  #valueAt(at) {
    const values = this.#values.map((list) => list[at - (WIDTH - list.length)] ?? 0);
    return values.map(this.#words).join(" / ");
  }

  #say() {
    if (this.#at === null) return setText(this.#now, this.#valueAt(WIDTH - 1));
    setText(this.#now, `${WIDTH - 1 - this.#at} s ago: ${this.#valueAt(this.#at)}`);
  }
}

const micros = (value) => (value >= 1_000 ? `${(value / 1_000).toFixed(1)} ms` : `${value} µs`);
const each = (word) => (value) => `${value.toLocaleString("en-GB")}${word}`;

const KINDS = {
  turns: { title: "Turns a second", lines: ["turns", "failures"], figures: ["turns", "failures"], words: each("") },
  cpu: { title: "CPU of one core", lines: ["CPU"], figures: ["cpu_us"], words: (value) => `${(value / 10_000).toFixed(1)} %` },
  sockets: { title: "Sockets", lines: ["sockets"], figures: ["sockets"], words: each("") },
  latency: { title: "Event to frame", lines: ["p50", "p99"], figures: ["p50_us", "p99_us"], words: micros },
};

/** Several plots of the same figures. */
export class Plots {
  #plots;

  constructor(...kinds) {
    this.#plots = kinds.map((kind) => ({ ...KINDS[kind], plot: new Plot(KINDS[kind].title, KINDS[kind].lines, KINDS[kind].words) }));
    this.box = make("div", { class: "plots" }, ...this.#plots.map(({ plot }) => plot.box));
  }

  begin(past) {
    for (const { plot, figures } of this.#plots) plot.begin(figures.map((name) => past[name] ?? []));
  }

  add(now) {
    for (const { plot, figures } of this.#plots) plot.add(figures.map((name) => now[name] ?? 0));
  }
}
