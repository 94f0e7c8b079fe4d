// What an open room stores, a page at a time, by the beginning of the keys. Only what is durable is shown.
import { ask, wordsOf } from "./api.js";
import { field, make, setText } from "./dom.js";
import { Table, bytes, moment } from "./parts.js";

const PAGE = 50;

export class StorageBrowser {
  #key;
  #prefix = field("Keys that begin with", make("input", { type: "text", autocomplete: "off", spellcheck: "false" }));
  #facts = make("p", { class: "hint", role: "status" });
  #entries = new Table("Stored keys", ["Key", "Bytes", "Value", ""], "It stores nothing under such keys.");
  #next = make("button", { type: "button", class: "quiet" }, "Next page");
  #first = make("button", { type: "button", class: "quiet" }, "First page");
  #fresh = make("button", { type: "button", class: "quiet" }, "Look again");
  #asked = 0;
  #after = undefined;
  #last = undefined;

  constructor(room) {
    this.#key = room;
    const form = make("form", { class: "storage-form", novalidate: true }, this.#prefix.box,
      make("div", { class: "actions" }, make("button", { type: "submit" }, "Find"), this.#first, this.#next, this.#fresh));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#go(undefined);
    });
    this.#first.addEventListener("click", () => this.#go(undefined));
    this.#next.addEventListener("click", () => this.#go(this.#last));
    this.#fresh.addEventListener("click", () => this.#go(this.#after));
    this.box = make("div", { class: "storage" }, form, this.#facts, this.#entries.box);
  }

  open() {
    return this.#go(undefined);
  }

  /** Turns ran since: what is shown may be old. Nothing is asked again by itself: a busy room would be read each second, and what
   * somebody reads would change under their eyes. */
  changed() {
    setText(this.#fresh, "Look again: turns ran since");
  }

  /** Shows a page. Of answers that come out of their order, the one to the last question is shown. */
  async #go(after) {
    const asked = ++this.#asked;
    this.#after = after;
    setText(this.#fresh, "Look again");
    let page;
    try {
      page = await this.#page(after);
    } catch (error) {
      if (asked === this.#asked) setText(this.#facts, `What the room stores is not shown: ${wordsOf(error)}`);
      return;
    }
    if (asked === this.#asked) this.#show(page);
  }

  #page(after) {
    const query = new URLSearchParams({ prefix: this.#prefix.control.value, limit: String(PAGE) });
    if (after !== undefined) query.set("after", after);
    return ask(`rooms/${this.#key}/storage?${query}`);
  }

  #show({ open, bytes: all, alarm, entries, more }) {
    setText(this.#facts, open
      ? `${bytes(all)} in all${alarm ? `; its alarm rings at ${moment(alarm)}` : ""}`
      : "What a room stores is shown while it is open.");
    this.#entries.show(entries.map((entry) => ({
      key: entry.key,
      cells: [entry.key, bytes(entry.bytes), valueOf(entry), () => (entry.cut ? this.#whole(entry.key) : make("span"))],
    })));
    this.#last = entries.at(-1)?.key;
    this.#next.disabled = !more;
    this.#first.disabled = this.#after === undefined;
  }

  #whole(key) {
    const show = async (event) => {
      const cell = event.target.closest("tr").children[2];
      try {
        const { entries } = await ask(`rooms/${this.#key}/storage?${new URLSearchParams({ key })}`);
        setText(cell, entries[0] ? valueOf(entries[0]) : "It is gone.");
      } catch (error) {
        setText(this.#facts, `All of ${key} is not shown: ${wordsOf(error)}`);
      }
    };
    return make("button", { type: "button", class: "quiet small", "aria-label": `Show all of ${key}`, onclick: show }, "All of it");
  }
}

function valueOf({ text, base64, cut }) {
  return `${text ?? `base64 ${base64}`}${cut ? "…" : ""}`;
}
