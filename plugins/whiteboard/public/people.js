// Who is here, and where they point.

// Dark enough for white letters.
const COLORS = [
  "#c2255c", "#1864ab", "#2b8a3e", "#862e9c", "#b84300", "#0b7285", "#5f3dc4", "#7a5900", "#a61e4d", "#364fc7", "#087f5b", "#495057",
];
const EDGE = 0.85; // of the board's width: to its right a name stands on the other side

export class People {
  #list;
  #board;
  #surface;
  #colors = new Map(); // user id -> colour
  #cursors = new Map(); // client id -> element

  constructor(list, board, surface) {
    this.#list = list;
    this.#board = board;
    this.#surface = surface;
  }

  /** Shows who is here; `me` is one of them. */
  show(userIds, me) {
    for (const gone of this.#colors.keys()) if (!userIds.includes(gone)) this.#colors.delete(gone);
    this.#list.replaceChildren(...[me, ...userIds.filter((id) => id !== me)].map((id) => {
      const item = document.createElement("li");
      item.textContent = id === me ? `${id} (you)` : id;
      item.style.setProperty("--person", this.#colorOf(id));
      return item;
    }));
  }

  move({ userId, clientId, x, y }) {
    const { width, height } = this.#surface.size;
    const cursor = this.#cursors.get(clientId) ?? this.#newCursor(userId, clientId);
    cursor.style.left = `${(100 * x) / width}%`;
    cursor.style.top = `${(100 * y) / height}%`;
    cursor.classList.toggle("at-right", x > EDGE * width);
  }

  leave(clientId) {
    this.#cursors.get(clientId)?.remove();
    this.#cursors.delete(clientId);
  }

  leaveAll() {
    for (const clientId of [...this.#cursors.keys()]) this.leave(clientId);
  }

  // Names come from others: they are text here, never markup.
  #newCursor(userId, clientId) {
    const cursor = document.createElement("div");
    const name = document.createElement("b");
    name.textContent = userId;
    cursor.style.setProperty("--person", this.#colorOf(userId));
    cursor.append(name);
    this.#board.append(cursor);
    this.#cursors.set(clientId, cursor);
    return cursor;
  }

  // The name decides, so that a user has the same colour everywhere; of two who would share one, the later takes the next.
  #colorOf(userId) {
    if (this.#colors.has(userId)) return this.#colors.get(userId);
    const taken = new Set(this.#colors.values());
    const first = [...userId].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 65_521, 7) % COLORS.length;
    const inTurn = [...COLORS.slice(first), ...COLORS.slice(0, first)];
    const color = inTurn.find((one) => !taken.has(one)) ?? COLORS[first];
    this.#colors.set(userId, color);
    return color;
  }
}
