// One's own seats: what is held, with the time that is left, and what is bought, with its confirmation.

const TICK_MS = 500;

export class Own {
  #places;
  #ask;
  #seats = new Map(); // name -> { until } or { confirmation }, and the parts of the page
  #clockAhead = 0; // the server's clock less this one's, in milliseconds
  #enabled = false;

  /** `ask(event, seat)` is called for a button that is clicked. */
  constructor(places, ask) {
    this.#places = places;
    this.#ask = ask;
    setInterval(() => this.#tick(), TICK_MS);
  }

  /** What the room knows to be this user's, and nothing else. */
  fill(seats, now) {
    this.#heard(now);
    const names = new Set(seats.map(({ seat }) => seat));
    for (const name of [...this.#seats.keys()]) if (!names.has(name)) this.#remove(name);
    for (const seat of seats) this.change(seat, true);
  }

  change({ seat, state, until, now, confirmation }, isOwn) {
    this.#heard(now);
    if (!isOwn) return this.#remove(seat);
    const kept = this.#seats.get(seat) ?? this.#add(seat);
    kept.until = state === "held" ? until : undefined;
    if (confirmation) kept.confirmation = confirmation;
    this.#show(seat, kept);
  }

  bought(seat, confirmation) {
    const kept = this.#seats.get(seat) ?? this.#add(seat);
    Object.assign(kept, { until: undefined, confirmation });
    this.#show(seat, kept);
  }

  remind(seat, until, now) {
    this.#heard(now);
    this.#places.reminder.textContent = `${seat} is held for you for ${words(this.#left(until))} more.`;
  }

  enable(enabled) {
    this.#enabled = enabled;
    for (const { buy, release } of this.#seats.values()) buy.disabled = release.disabled = !enabled;
  }

  focus(seat) {
    this.#seats.get(seat)?.buy.focus();
  }

  #heard(now) {
    if (Number.isFinite(now)) this.#clockAhead = now - Date.now();
  }

  #left(until) {
    return Math.max(0, until - (Date.now() + this.#clockAhead));
  }

  #add(seat) {
    const made = { item: document.createElement("li"), about: document.createElement("span") };
    const name = document.createElement("b");
    name.textContent = seat;
    made.buy = button("Buy", `Buy ${seat}`, () => this.#ask("seat.buy", seat));
    made.release = button("Let go", `Let go of ${seat}`, () => this.#ask("seat.release", seat));
    made.buy.className = "main small";
    made.buy.disabled = made.release.disabled = !this.#enabled;
    made.item.append(name, made.about, made.buy, made.release);
    this.#seats.set(seat, made);
    this.#places.list.append(made.item);
    this.#places.none.hidden = true;
    return made;
  }

  #remove(seat) {
    this.#seats.get(seat)?.item.remove();
    this.#seats.delete(seat);
    this.#places.none.hidden = this.#seats.size > 0;
    if (this.#places.reminder.textContent.startsWith(`${seat} `)) this.#places.reminder.textContent = "";
  }

  #show(seat, { about, buy, release, until, confirmation }) {
    buy.hidden = release.hidden = until === undefined;
    if (until !== undefined) return this.#tick();
    const number = document.createElement("code");
    number.textContent = confirmation ?? "";
    about.replaceChildren(confirmation ? "bought; your confirmation:" : "bought", number);
    if (this.#places.reminder.textContent.startsWith(`${seat} `)) this.#places.reminder.textContent = "";
  }

  #tick() {
    for (const { about, until } of this.#seats.values()) {
      if (until === undefined) continue;
      const left = this.#left(until);
      const text = left > 0 ? `held for ${words(left)} more` : "the hold ends…";
      if (about.textContent !== text) about.textContent = text;
    }
  }
}

/** `1:05` for 65 seconds. */
function words(ms) {
  const seconds = Math.ceil(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function button(text, label, click) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "small";
  made.textContent = text;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", click);
  return made;
}
