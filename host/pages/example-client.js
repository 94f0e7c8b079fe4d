// Which client the pages of the examples use: Parlor's own, or the stock client of Socket.IO where the page's address says
// `client=socket.io`. Users of both meet in the same rooms. A page of your own needs nothing of this: it imports the client that it
// wants.
//
//     import { connect, offerClients } from "/_parlor/example-client.js";
import { connect as connectParlor } from "./client.js";

// As npm installs it: `parlor dev` serves this file below the pages of each plugin.
const SOCKET_IO = "node_modules/socket.io-client/dist/socket.io.esm.min.js";

// The waits before further attempts, which Socket.IO's client varies by half at random.
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5_000;
const NORMAL = 1000;
const ABNORMAL = 1006;

const isWanted = new URLSearchParams(location.search).get("client") === "socket.io";
const io = isWanted ? await load() : undefined;

/** The function `io` of Socket.IO's client; nothing where nobody installed it. */
async function load() {
  try {
    return (await import(new URL(SOCKET_IO, document.baseURI))).io;
  } catch {
    return undefined;
  }
}

/** Connects to a room by the client that the address asks for. Options: `room`, `query`, and what client.js has beyond them. */
export function connect(address, options = {}) {
  return io ? new SocketIoRoom(address, options) : connectParlor(address, options);
}

/** Says which client this page uses, and links to it with the other one; `keep` returns what goes along in the address. */
export function offerClients(place, keep = () => ({})) {
  const link = document.createElement("a");
  const turn = () => {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of given(keep())) query.set(name, value);
    if (isWanted) query.delete("client");
    else query.set("client", "socket.io");
    link.href = `${location.pathname}?${query}`;
  };
  turn();
  link.addEventListener("click", turn);
  link.textContent = isWanted ? "Use client.js" : "Use Socket.IO’s client";
  place.replaceChildren(...(isWanted && !io ? missing() : [`Connected by ${io ? "Socket.IO’s client" : "client.js"}.`]), " ", link);
}

const STATES = {
  open: { words: () => "Connected", kind: "good" },
  connecting: { words: () => "Connecting…", kind: "" },
  waiting: { words: (delayMs) => `Connection lost, next try in ${Math.ceil(delayMs / 1000)} s`, kind: "bad" },
  closed: { words: () => "Not connected", kind: "bad" },
};

/** Says in `place` how the connection is, and in `problem` what it means that the room refused this page; buttons work while it is open. */
export function showState(client, place, problem, refused) {
  client.onState(({ state, delayMs = 0, close }) => {
    const { words, kind } = STATES[state];
    place.textContent = words(delayMs);
    place.dataset.kind = kind;
    if (state === "closed" && !close.opened) problem.textContent = refused;
    for (const button of document.querySelectorAll("button")) button.disabled = state !== "open";
  });
}

function missing() {
  const command = document.createElement("code");
  command.textContent = "npm ci --prefix plugins";
  command.style.whiteSpace = "nowrap";
  return ["Socket.IO’s client is not installed: run ", command, " and reload."];
}

function given(values) {
  return Object.entries(values).filter(([, value]) => value !== undefined);
}

/** A room by Socket.IO's client, with those calls of client.js that the examples use. */
class SocketIoRoom {
  #socket;
  #listeners = new Set();
  #failed = 0; // attempts since the last connection
  #goodbye; // what the room said when it closed this socket

  constructor(address, { room, query = {} }) {
    this.state = "connecting";
    this.#socket = io(address, {
      query: Object.fromEntries(given({ ...query, room })),
      forceNew: true,
      reconnectionDelay: FIRST_WAIT_MS,
      reconnectionDelayMax: LONGEST_WAIT_MS,
    });
    this.#socket.on("connect", () => {
      this.#failed = 0;
      this.#goodbye = undefined;
      this.#change("open");
    });
    this.#socket.on("$close", (goodbye) => (this.#goodbye = goodbye));
    this.#socket.on("disconnect", () => this.#lost({ code: ABNORMAL, reason: "", opened: true, ...this.#goodbye }));
    this.#socket.on("connect_error", ({ message }) => this.#lost({ code: ABNORMAL, reason: message, opened: false }));
    this.#socket.io.on("reconnect_attempt", () => this.#change("connecting"));
  }

  on(event, listener) {
    this.#socket.on(event, (data = {}) => listener(data));
  }

  onState(listener) {
    this.#listeners.add(listener);
  }

  /** Sends, or lets Socket.IO's client keep it until there is a connection. */
  emit(event, ...data) {
    if (this.state === "closed") return false;
    this.#socket.emit(event, ...data.filter((value) => value !== undefined));
    return true;
  }

  /** Tries at once instead of waiting. */
  retry() {
    if (this.state !== "waiting") return;
    this.#change("connecting");
    this.#socket.disconnect().connect();
  }

  close() {
    this.#goodbye = { code: NORMAL };
    const wasOpen = this.#socket.connected;
    this.#socket.disconnect();
    if (!wasOpen) this.#lost({ code: NORMAL, reason: "", opened: false });
  }

  // Where its client does not come back by itself, the server refused the page or closed its socket.
  #lost(close) {
    if (this.state === "closed") return;
    if (!this.#socket.active) return this.#change("closed", { close });
    const delayMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failed);
    this.#failed += 1;
    this.#change("waiting", { delayMs, close });
  }

  #change(state, more = {}) {
    this.state = state;
    for (const listener of this.#listeners) listener({ state, ...more });
  }
}
