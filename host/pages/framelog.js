// The list of frames of one connection: time, direction, event, and the frame as it was on the wire.
import { withBytesInWords } from "./bytes.js";
import { make, plural } from "./dom.js";

// Older entries go: a flood must not eat the page.
const ENTRIES_MOST = 200;
const TEXT_SHOWN_MOST = 4_000;

const WORDS = { in: "received", out: "sent", note: "note" };
const SIGNS = { in: "↓", out: "↑", note: "•" };

export class FrameLog {
  #list = make("ol", { class: "frames", role: "log", tabindex: "0" });
  #keepalive = make("input", { type: "checkbox" });
  #empty = make("p", { class: "hint" }, "Frames appear here, the newest at the end.");

  constructor(title) {
    this.#list.setAttribute("aria-label", title);
    this.#keepalive.addEventListener("change", () => {
      this.#list.classList.toggle("with-keepalive", this.#keepalive.checked);
    });
    const clear = make("button", { type: "button", class: "quiet small", onclick: () => this.clear() }, "Clear");
    this.box = make(
      "div",
      { class: "log" },
      make(
        "div",
        { class: "log-head" },
        make("span", { class: "caption" }, "Frames"),
        make("label", { class: "check" }, this.#keepalive, "show keepalive"),
        clear,
      ),
      this.#empty,
      this.#list,
    );
  }

  clear() {
    this.#list.replaceChildren();
    this.#empty.hidden = false;
  }

  /** A frame, `in` or `out`. */
  frame(direction, text) {
    const { title, body, keepalive } = describe(text);
    this.#append(direction, title, body, keepalive ? "keepalive" : "");
  }

  /** Something about the connection. */
  note(text, kind = "") {
    this.#append("note", text, null, kind);
  }

  #append(direction, title, body, kind) {
    const now = new Date();
    const list = this.#list;
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    const entry = make(
      "li",
      { class: `frame ${direction} ${kind}`.trim() },
      make("time", { datetime: now.toISOString() }, clock(now)),
      make("span", { class: "sign", title: WORDS[direction] }, SIGNS[direction]),
      make("span", { class: "hidden-words" }, ` ${WORDS[direction]}: `),
      make("span", { class: "frame-title" }, title),
      body === null ? null : make("code", { class: "frame-body" }, body),
    );
    list.append(entry);
    if (list.children.length > ENTRIES_MOST) list.firstElementChild.remove();
    this.#empty.hidden = true;
    if (atEnd) list.scrollTop = list.scrollHeight;
  }
}

function shorten(text) {
  return text.length > TEXT_SHOWN_MOST ? `${text.slice(0, TEXT_SHOWN_MOST)}… (${plural(text.length, "character")})` : text;
}

// What a reader looks for first is the event's name; the frame itself stands below as it was sent, but for its bytes.
function describe(text) {
  try {
    const frame = JSON.parse(text);
    const shown = shorten(withBytesInWords(text));
    const keepalive = (frame.type === "ping" || frame.type === "pong") && !("data" in frame);
    const title = frame.type === "event" ? frame.data?.type : frame.type;
    return { title: String(title ?? "frame"), body: keepalive ? null : shown, keepalive };
  } catch {
    return { title: "no JSON", body: shorten(text), keepalive: false };
  }
}

function clock(now) {
  const digits = (value, length) => String(value).padStart(length, "0");
  const [hours, minutes, seconds] = [now.getHours(), now.getMinutes(), now.getSeconds()].map((n) => digits(n, 2));
  return `${hours}:${minutes}:${seconds}.${digits(now.getMilliseconds(), 3)}`;
}
