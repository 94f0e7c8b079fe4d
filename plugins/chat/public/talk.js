// What was said. Names and texts come from others: they are text here, never markup.
import { hueOf } from "./people.js";

const ENTRIES_MOST = 500;
const AT_END_PX = 60;

export class Talk {
  #scroller;
  #list;
  #me;
  #lastFrom = null;

  constructor(scroller, list, me) {
    this.#scroller = scroller;
    this.#list = list;
    this.#me = me;
  }

  message({ from, text, timestamp }) {
    const own = from === this.#me;
    const entry = element("li", `message ${own ? "own" : hueOf(from)}`);
    if (from !== this.#lastFrom) entry.append(element("span", "from", own ? "You" : from));
    else entry.classList.add("again");
    const time = new Date(Number.isFinite(timestamp) ? timestamp : Date.now());
    const stamp = element("time", "", time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }));
    stamp.dateTime = time.toISOString();
    entry.append(element("span", "text", text), stamp);
    this.#lastFrom = from;
    this.#append(entry, own);
  }

  note(text) {
    this.#lastFrom = null;
    this.#append(element("li", "note", text), false);
  }

  // Whoever reads further up is not torn away, unless they said something themselves.
  #append(entry, always) {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const follow = always || scrollHeight - scrollTop - clientHeight < AT_END_PX;
    this.#list.append(entry);
    if (this.#list.children.length > ENTRIES_MOST) this.#list.firstElementChild.remove();
    if (follow) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}
