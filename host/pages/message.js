// What a connection of the playground sends: an event with JSON or bytes, and whether it waits for an answer.
import { readHex } from "./bytes.js";
import { arrange, complain, field, make } from "./dom.js";

export const PLAIN_TEXT = { autocomplete: "off", autocapitalize: "off", spellcheck: "false" };

export class Message {
  #event = field("Event", make("input", { type: "text", ...PLAIN_TEXT }));
  #channel = field("Channel", make("input", { type: "text", placeholder: "none", ...PLAIN_TEXT }));
  #data = field("Data", make("textarea", { rows: "3", placeholder: '{"text":"hello"}', ...PLAIN_TEXT }), {
    hint: "JSON; empty for a frame without data. Ctrl+Enter sends.",
    wide: true,
  });
  #hex = field("Bytes", make("textarea", { rows: "3", placeholder: "00 ff 1b", ...PLAIN_TEXT }), {
    hint: "Two digits of hex a byte. Ctrl+Enter sends.",
    wide: true,
  });
  #file = field("File", make("input", { type: "file" }), {
    hint: "Its bytes become the data. A frame has them as base64, a third longer, and the server takes up to frame-bytes.",
    wide: true,
  });
  #kind = make("select", {}, ...[["json", "JSON"], ["hex", "bytes in hex"], ["file", "a file’s bytes"]]
    .map(([value, words]) => make("option", { value }, words)));
  #waits = make("input", { type: "checkbox" });
  #suggestions = make("datalist");
  #send = make("button", { type: "submit", class: "main" }, "Send");

  /** `send({ event, data, channel, waits })` is called for what is complete. */
  constructor(number, send) {
    this.#kind.id = `kind-${number}`;
    this.#suggestions.id = `events-${number}`;
    this.#event.control.setAttribute("list", this.#suggestions.id);
    this.box = make(
      "form",
      { class: "fields", novalidate: true },
      this.#event.box,
      this.#channel.box,
      this.#suggestions,
      this.#data.box,
      this.#hex.box,
      this.#file.box,
      make(
        "div",
        { class: "actions sending" },
        this.#send,
        make("span", { class: "check" }, make("label", { for: this.#kind.id }, "Send as"), this.#kind),
        make("label", { class: "check" }, this.#waits, "wait for an answer"),
      ),
    );
    this.#listen(send);
    this.#choose();
  }

  focus() {
    this.#event.control.focus({ preventScroll: true });
  }

  enable(enabled) {
    this.#send.disabled = !enabled;
  }

  /** The events to suggest. */
  suggest(names) {
    arrange(this.#suggestions, names.map((name) =>
      [...this.#suggestions.children].find(({ value }) => value === name) ?? make("option", { value: name })));
    this.#event.control.placeholder = names.find((name) => name !== "ping") ?? "chat.message";
  }

  #listen(send) {
    this.box.addEventListener("submit", async (event) => {
      event.preventDefault();
      const message = await this.#read();
      if (message) send(message);
    });
    this.#kind.addEventListener("change", () => this.#choose());
    for (const place of [this.#event, this.#data, this.#hex, this.#file]) {
      place.control.addEventListener("input", () => complain(place, ""));
    }
    for (const { control } of [this.#data, this.#hex]) {
      control.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.box.requestSubmit();
      });
    }
  }

  get #places() {
    return { json: this.#data, hex: this.#hex, file: this.#file };
  }

  #choose() {
    for (const [kind, { box }] of Object.entries(this.#places)) box.hidden = kind !== this.#kind.value;
  }

  /** What is to be sent; nothing where something is wrong with it, which is said beside its field. */
  async #read() {
    const place = this.#places[this.#kind.value];
    const event = this.#event.control.value.trim();
    const channel = this.#channel.control.value.trim() || undefined;
    const { problem = "", data } = await READERS[this.#kind.value](place.control);
    complain(this.#event, event === "" ? "Which event? For example chat.message." : "");
    complain(place, problem);
    if (event !== "" && problem === "") return { event, data, channel, waits: this.#waits.checked };
    (event === "" ? this.#event : place).control.focus();
    return undefined;
  }
}

const READERS = {
  // Every browser words it differently; what all have in common is shown, with the place where they tell it.
  json({ value: text }) {
    if (text.trim() === "") return {};
    try {
      return { data: JSON.parse(text) };
    } catch (error) {
      const quoted = /^\s*["{[\d-]|^\s*(true|false|null)\b/.test(text) ? "" : ' Text stands in double quotes: "like this".';
      return { problem: `This is not JSON: ${error.message}.${quoted}` };
    }
  },
  hex({ value: text }) {
    const data = readHex(text);
    return data ? { data } : { problem: "These are no bytes: each is two of the digits 0-9 and a-f, such as 00 ff 1b." };
  },
  async file({ files: [file] }) {
    if (!file) return { problem: "Which file?" };
    try {
      return { data: new Uint8Array(await file.arrayBuffer()) };
    } catch (error) {
      return { problem: `The file cannot be read: ${error.message}` };
    }
  },
};
