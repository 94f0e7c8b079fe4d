// Lines as they come: of the log, of failures, of versions. The newest is at the end.
import { count, make } from "./dom.js";

// Older lines go: a flood must not eat the page.
const LINES_MOST = 500;

export class LogLines {
  #list = make("ol", { class: "lines", role: "log", tabindex: "0" });
  #empty = make("p", { class: "hint" }, "Lines appear here as they are written.");
  #head = make("div", { class: "lines-head", hidden: true });
  #wide;

  /** `wide` shows of which plugin and room each line is. */
  constructor(label, wide = false) {
    this.#wide = wide;
    this.#list.setAttribute("aria-label", label);
    this.#head.append(make("button", { type: "button", class: "quiet small", onclick: () => this.clear() }, "Clear"));
    this.box = make("div", { class: "log-lines" }, this.#head, this.#empty, this.#list);
  }

  clear() {
    this.#list.replaceChildren();
    this.#empty.hidden = false;
    this.#head.hidden = true;
  }

  log({ time, tenant, plugin, room, level, line, from }) {
    const of = this.#wide ? [tenant, plugin, room] : [room];
    this.#append(time, level, of, from === "host" ? `[host] ${line}` : line);
  }

  failure({ time, tenant, plugin, room, event, code, message }) {
    const of = this.#wide ? [tenant, plugin, room] : [room];
    this.#append(time, "error", of, `${event} failed: ${code}: ${message}`);
  }

  deploy({ time, tenant, plugin, what, version, why }) {
    this.#append(time, what === "refused" ? "error" : "info", this.#wide ? [tenant, plugin] : [], `${what} ${version ?? ""}: ${why}`);
  }

  lost({ lines }) {
    this.#append(Date.now(), "warn", [], `${count(lines)} lines are left out here: they came faster than this page could take them`);
  }

  #append(time, level, of, text) {
    const list = this.#list;
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    const at = new Date(time);
    const place = of.filter(Boolean).join("/");
    list.append(make(
      "li",
      { class: `line ${level}` },
      make("time", { datetime: at.toISOString() }, at.toLocaleTimeString("en-GB")),
      make("span", { class: "level" }, level),
      place ? make("span", { class: "of" }, place) : null,
      make("code", {}, text),
    ));
    if (list.children.length > LINES_MOST) list.firstElementChild.remove();
    this.#empty.hidden = true;
    this.#head.hidden = false;
    if (atEnd) list.scrollTop = list.scrollHeight;
  }
}

/** A view with a log: what the live stream says of it goes there. */
export class LoggedView {
  constructor(lines) {
    this.lines = lines;
  }

  log(line) {
    this.lines.log(line);
  }

  failures(line) {
    this.lines.failure(line);
  }

  deploys(line) {
    this.lines.deploy(line);
  }

  lost(line) {
    this.lines.lost(line);
  }
}
