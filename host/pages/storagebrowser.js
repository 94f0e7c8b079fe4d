// What an open room stores, a page at a time, by the beginning of the keys. Only what is durable is shown.
import { ask, wordsOf } from "./api.js";
import { complain, field, make, setText } from "./dom.js";
import { Table, bytes, moment, sureButton } from "./parts.js";

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
  #editor = new KeyEditor((key, text) => this.#put(key, text));
  #open = false;
  #writable = false;
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
    this.box = make("div", { class: "storage" }, form, this.#facts, this.#entries.box, this.#editor.box);
  }

  open() {
    return this.#go(undefined);
  }

  /** Turns ran since: what is shown may be old. Nothing is asked again by itself: a busy room would be read each second, and what
   * somebody reads would change under their eyes. */
  changed() {
    if (this.#open) setText(this.#fresh, "Look again: turns ran since");
  }

  /** The room is open: what it stores is looked at by itself where it was not open before. */
  opened() {
    if (!this.#open) this.#go(this.#after);
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

  #show({ open, writable, bytes: all, alarm, entries, more }) {
    this.#open = open;
    this.#writable = writable;
    this.#editor.box.hidden = !(open && writable);
    setText(this.#facts, open
      ? `${bytes(all)} in all${alarm ? `; its alarm rings at ${moment(alarm)}` : ""}`
      : "What a room stores is shown while it is open.");
    this.#entries.show(entries.map((entry) => ({
      key: entry.key,
      cells: [entry.key, bytes(entry.bytes), valueOf(entry), () => this.#buttons(entry)],
    })));
    this.#last = entries.at(-1)?.key;
    this.#next.disabled = !more;
    this.#first.disabled = this.#after === undefined;
  }

  #buttons({ key, cut, text }) {
    const buttons = cut ? [this.#whole(key)] : [];
    if (this.#writable && text !== null) buttons.push(this.#button(`Edit ${key}`, "Edit", () => this.#edit(key)));
    if (this.#writable) buttons.push(sureButton(`Delete ${key}`, "Delete", () => this.#delete(key), "small"));
    return make("div", { class: "actions" }, ...buttons);
  }

  #button(label, words, onclick) {
    return make("button", { type: "button", class: "quiet small", "aria-label": label, onclick }, words);
  }

  async #edit(key) {
    const { entries } = await ask(`rooms/${this.#key}/storage?${new URLSearchParams({ key })}`);
    // It may be gone, or no text any more.
    if (typeof entries[0]?.text === "string") this.#editor.edit(key, entries[0].text);
  }

  async #put(key, text) {
    await ask(`rooms/${this.#key}/storage?${new URLSearchParams({ key })}`, { method: "PUT", text });
    await this.#go(this.#after);
  }

  async #delete(key) {
    try {
      await ask(`rooms/${this.#key}/storage?${new URLSearchParams({ key })}`, { method: "DELETE" });
      this.#editor.say(`${key} is deleted.`);
    } catch (error) {
      this.#editor.say(`${key} was not deleted: ${wordsOf(error)}`);
    }
    await this.#go(this.#after);
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
    return this.#button(`Show all of ${key}`, "All of it", show);
  }
}

function valueOf({ text, base64, cut }) {
  return `${text ?? `base64 ${base64}`}${cut ? "…" : ""}`;
}

/** A key and its value as text, to be put. */
class KeyEditor {
  #key = field("Key", make("input", { type: "text", autocomplete: "off", spellcheck: "false" }), { wide: true });
  #value = field("Value", make("textarea", { rows: "4", spellcheck: "false" }), {
    hint: "Text, stored as it stands here. The room makes its instance anew, so that it reads what is stored.", wide: true,
  });
  #said = make("p", { class: "hint", role: "status" });

  constructor(put) {
    const form = make("form", { class: "panel fields", novalidate: true }, this.#key.box, this.#value.box,
      make("div", { class: "actions" }, make("button", { type: "submit" }, "Put"), this.#said));
    form.addEventListener("submit", async (submitted) => {
      submitted.preventDefault();
      const key = this.#key.control.value;
      complain(this.#key, key === "" ? "A key must not be empty." : "");
      if (key === "") return this.#key.control.focus();
      try {
        await put(key, this.#value.control.value);
        this.say(`${key} is put.`);
      } catch (error) {
        this.say(`${key} was not put: ${wordsOf(error)}`);
      }
    });
    this.box = make("div", { class: "key-editor", hidden: true }, make("h3", {}, "Put a key"), form);
  }

  edit(key, text) {
    this.#key.control.value = key;
    this.#value.control.value = text;
    this.#value.control.focus();
  }

  say(words) {
    setText(this.#said, words);
  }
}
