// What the views are made of: sections, tables whose rows stay where they are, bars, words for numbers.
import { arrange, count, make, setText } from "./dom.js";

let ids = 0;

/** A part of a view with its heading. */
export function section(title, ...children) {
  const id = `part-${(ids += 1)}`;
  const heading = make("h2", { id }, title);
  return make("section", { "aria-labelledby": id }, make("div", { class: "section-head" }, heading), ...children);
}

/** A table. Rows keep their elements, so that focus and selections stay while figures change. */
export class Table {
  #rows = new Map();
  #body = make("tbody");
  #empty;

  /** `columns` are titles; `empty` is said where there are no rows. */
  constructor(label, columns, empty) {
    this.#empty = make("p", { class: "hint" }, empty);
    const head = columns.map((title) => (title === "" ? make("td") : make("th", { scope: "col" }, title)));
    this.table = make("table", {}, make("thead", {}, make("tr", {}, ...head)), this.#body);
    this.box = make("div", { class: "table", tabindex: "0", role: "region", "aria-label": label }, this.table, this.#empty);
    this.show([]);
  }

  /** `{ key, cells, hot }`: a cell is text, or a function that makes an element, once for its row. */
  show(rows) {
    const keys = new Set(rows.map(({ key }) => key));
    for (const key of this.#rows.keys()) if (!keys.has(key)) this.#rows.delete(key);
    arrange(this.#body, rows.map((row) => this.#row(row)));
    this.table.hidden = rows.length === 0;
    this.#empty.hidden = rows.length > 0;
  }

  #row({ key, cells, hot = false }) {
    if (!this.#rows.has(key)) {
      const made = cells.map((cell, at) =>
        make(at === 0 ? "th" : "td", at === 0 ? { scope: "row" } : {}, typeof cell === "function" ? cell() : ""));
      this.#rows.set(key, make("tr", {}, ...made));
    }
    const row = this.#rows.get(key);
    cells.forEach((cell, at) => typeof cell !== "function" && setText(row.children[at], cell));
    row.classList.toggle("hot", hot);
    return row;
  }
}

/** How much of something is used, as a bar with its words. */
export class Bar {
  #meter = make("meter", { min: "0", low: "0.7", high: "0.9", optimum: "0", max: "1" });
  #words = make("span", { class: "bar-words" });

  constructor(title, source) {
    this.#meter.setAttribute("aria-label", title);
    this.box = make("div", { class: "bar" }, make("span", { class: "bar-title" }, title), this.#meter, this.#words,
      source ? make("span", { class: "hint" }, source) : null);
  }

  show(used, max, words = count) {
    this.#meter.value = max > 0 ? used / max : 0;
    setText(this.#words, `${words(used)} of ${words(max)}`);
  }
}

export function bytes(number) {
  if (number < 1 << 10) return `${number} B`;
  if (number < 1 << 20) return `${(number / (1 << 10)).toFixed(1)} KiB`;
  return number < 1 << 30 ? `${(number / (1 << 20)).toFixed(1)} MiB` : `${(number / (1 << 30)).toFixed(2)} GiB`;
}

export function seconds(number) {
  if (number === null || number === undefined) return "–";
  if (number < 0.001) return `${Math.round(number * 1e6)} µs`;
  return number < 1 ? `${(number * 1e3).toFixed(1)} ms` : `${number.toFixed(1)} s`;
}

export function moment(unixMs) {
  return unixMs ? new Date(unixMs).toLocaleString() : "–";
}

/** A button that does what cannot be taken back, at its second press. */
export function sureButton(label, words, act, size = "") {
  const button = make("button", { type: "button", class: `quiet ${size}`, "aria-label": label }, words);
  const ask = (isAsking) => {
    setText(button, isAsking ? `Really ${words.toLowerCase()}` : words);
    button.setAttribute("aria-label", isAsking ? `Really: ${label}` : label);
  };
  button.addEventListener("blur", () => ask(false));
  button.addEventListener("click", () => {
    const isSure = button.textContent !== words;
    ask(!isSure);
    if (isSure) act();
  });
  return button;
}

/** A link to a view: `link("chat", "t", "default", "p", "chat")`. */
export function link(words, ...names) {
  return make("a", { href: hash(...names) }, words);
}

export function hash(...names) {
  return `#/${names.map(encodeURIComponent).join("/")}`;
}
