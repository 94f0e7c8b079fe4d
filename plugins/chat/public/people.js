// Who is here, and who types.

// The word that somebody stopped typing can get lost with their connection: it does not hold longer than this.
const TYPING_FADES_MS = 6_000;

export class People {
  #places;
  #me;
  #here = new Set();
  #typing = new Map(); // user id -> timer

  constructor(places, me) {
    this.#places = places;
    this.#me = me;
  }

  all(users) {
    this.#here = new Set([...users, this.#me]);
    this.#show();
  }

  /** Rooms that tell the whole list are believed; otherwise the one user is added. */
  join(userId, users) {
    if (users) return this.all(users);
    this.#here.add(userId);
    this.#show();
  }

  /** Says whether that user is gone altogether, and not only one of their tabs. */
  leave(userId, users) {
    const remains = users ? users.includes(userId) : userId === this.#me;
    if (users) this.#here = new Set([...users, this.#me]);
    else if (!remains) this.#here.delete(userId);
    if (!remains) this.typing(userId, false);
    this.#show();
    return !remains;
  }

  /** Without a connection nobody is known to be here. */
  nobody() {
    this.#here.clear();
    for (const userId of [...this.#typing.keys()]) this.typing(userId, false);
    this.#show();
  }

  typing(userId, isTyping) {
    if (userId === this.#me) return;
    clearTimeout(this.#typing.get(userId));
    this.#typing.delete(userId);
    if (isTyping) this.#typing.set(userId, setTimeout(() => this.typing(userId, false), TYPING_FADES_MS));
    this.#places.typing.textContent = typingWords([...this.#typing.keys()]);
  }

  #show() {
    const { list, count } = this.#places;
    count.textContent = this.#here.size > 0 ? String(this.#here.size) : "";
    list.replaceChildren(...[...this.#here].sort((a, b) => a.localeCompare(b)).map((userId) => {
      const item = document.createElement("li");
      item.className = `person ${hueOf(userId)}`;
      item.textContent = userId === this.#me ? `${userId} (you)` : userId;
      return item;
    }));
  }
}

/** One of eight colours, the same for a name in every tab. */
export function hueOf(name) {
  let sum = 0;
  for (const character of String(name)) sum = (sum * 31 + character.codePointAt(0)) % 9_973;
  return `hue-${sum % 8}`;
}

function typingWords(names) {
  if (names.length === 0) return "";
  if (names.length === 1) return `${names[0]} is typing…`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing…`;
  return "Several people are typing…";
}
