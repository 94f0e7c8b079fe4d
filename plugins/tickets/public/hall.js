// The hall: a table of buttons. One of them at a time can be reached by Tab; arrow keys move between them.

const SEAT_LEAST_REM = 1.7; // 24 px and what lies between; a hall that is wider than its place scrolls
const SIGNS = { free: "", mine: "●", bought: "✓", held: "…", sold: "×" };

export class Hall {
  #table;
  #me;
  #choose;
  #seats = new Map(); // name -> { seat, button }
  #perRow = 1;
  #enabled = false;

  /** `choose(name, kind, seat)` is called for a seat that is clicked. */
  constructor(table, me, choose) {
    this.#table = table;
    this.#me = me;
    this.#choose = choose;
    table.addEventListener("keydown", (event) => this.#move(event));
    table.addEventListener("click", ({ target }) => {
      const known = this.#seats.get(target.closest("button")?.dataset.seat);
      if (known && this.#enabled) choose(known.seat.seat, this.#kind(known.seat), known.seat);
    });
    table.addEventListener("focusin", ({ target }) => this.#reach(target));
  }

  seat(name) {
    return this.#seats.get(name)?.seat;
  }

  /** All seats, row by row. Buttons that stand already stay, and keep the focus. */
  fill(seats, perRow) {
    const names = seats.map(({ seat }) => seat);
    if (perRow !== this.#perRow || names.join() !== [...this.#seats.keys()].join()) this.#build(names, perRow);
    for (const seat of seats) this.change(seat);
  }

  change(seat) {
    const known = this.#seats.get(seat.seat);
    if (!known) return;
    known.seat = seat;
    const kind = this.#kind(seat);
    const { button } = known;
    button.dataset.kind = kind;
    button.querySelector(".seat-sign").textContent = SIGNS[kind];
    button.setAttribute("aria-label", `${seat.seat}, ${this.#words(kind, seat)}`);
    button.title = this.#words(kind, seat);
  }

  enable(enabled) {
    this.#enabled = enabled;
    // They can be reached all the same: a button that is disabled would lose the focus.
    for (const { button } of this.#seats.values()) button.setAttribute("aria-disabled", String(!enabled));
  }

  #kind({ state, userId }) {
    if (state === "free" || userId !== this.#me) return state;
    return state === "held" ? "mine" : "bought";
  }

  #words(kind, { userId }) {
    const words = { free: "free", mine: "held for you", bought: "yours", held: `held by ${userId}`, sold: "sold" };
    return words[kind];
  }

  #build(names, perRow) {
    this.#perRow = perRow;
    this.#seats.clear();
    const rows = [];
    for (let first = 0; first < names.length; first += perRow) {
      const row = document.createElement("tr");
      const letter = element("th", "", names[first].slice(0, 1));
      letter.scope = "row";
      row.append(letter, ...names.slice(first, first + perRow).map((name) => this.#cell(name)));
      rows.push(row);
    }
    this.#table.replaceChildren(...rows);
    this.#table.style.minWidth = `${(perRow + 1) * SEAT_LEAST_REM}rem`;
    this.enable(this.#enabled);
    this.#reach(this.#buttons()[0]);
  }

  #cell(name) {
    const button = element("button", "seat");
    button.type = "button";
    button.tabIndex = -1;
    button.dataset.seat = name;
    button.append(element("span", "", name.slice(1)), element("span", "seat-sign"));
    this.#seats.set(name, { seat: { seat: name, state: "free" }, button });
    const cell = document.createElement("td");
    cell.append(button);
    return cell;
  }

  #buttons() {
    return [...this.#seats.values()].map(({ button }) => button);
  }

  /** From now on Tab leads to this button. */
  #reach(button) {
    for (const other of this.#buttons()) other.tabIndex = other === button ? 0 : -1;
  }

  #move(event) {
    const buttons = this.#buttons();
    const at = buttons.indexOf(event.target);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const start = at - (at % this.#perRow);
    const end = Math.min(start + this.#perRow, buttons.length) - 1;
    const to = {
      ArrowLeft: Math.max(at - 1, start),
      ArrowRight: Math.min(at + 1, end),
      ArrowUp: at - this.#perRow,
      ArrowDown: at + this.#perRow,
      Home: start,
      End: end,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    buttons[to]?.focus();
  }
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}
