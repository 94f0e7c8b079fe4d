// A small browser client for Parlor rooms: Verani frames, reconnect, keepalive, a bounded queue.
//
//     import { connect } from "/_parlor/client.js";
//     const chat = connect("/ws", { room: "lobby", query: { userId: "ana" } });
//     chat.on("chat.message", (data) => console.log(data.from, data.text));
//     await chat.ready;
//     chat.emit("chat.message", { text: "hello" });
//
// It runs in browsers, and wherever a WebSocket constructor can be given. Types: client.d.ts.
//
// Delivery is at most once: what was handed to a socket that then broke is not sent again. What was emitted while no
// socket was open waits in the queue and is sent, in order, once one is.
//
// What a close code means here:
//   1000        the room said goodbye: no reconnect. The same after `close()`.
//   1012        the host restarts, and all its clients are dropped at once: the first wait is spread wider.
//   1008, 1013  a limit was passed, or "try later": `slowDelayMs` on top of each wait.
//   all others  (1011, 1009, 1006 for a broken line or a refused upgrade, a plugin's own) the usual back-off.
// `shouldReconnect` can decide otherwise, for instance never after a code of the plugin's own.
//
// A page cannot see why an upgrade was refused. So the client asks the same address with a plain GET, which Parlor answers
// the same: after each attempt that fails before the first connection, and later on from the eighth in a row. Where no
// further attempt can succeed (no such room or plugin, not allowed), the client is closed for good, and `ready` is rejected
// with an error that has the answer's `status` and its words.

/** What `connect` takes for granted. Times are in milliseconds. */
export const DEFAULTS = Object.freeze({
  // Back-off with full jitter: the n-th wait is a random time between 0 and min(maxDelayMs, baseDelayMs * 2^n).
  baseDelayMs: 500,
  maxDelayMs: 30_000,
  // The least ceiling after 1012, so that the clients of a restarted host do not return in one heap.
  restartSpreadMs: 2_000,
  // Added after 1008 and 1013.
  slowDelayMs: 5_000,
  // A connection that lived this long was a good one: the next back-off begins anew.
  stableAfterMs: 5_000,
  // An attempt that did not open by then is given up and counts as failed.
  connectTimeoutMs: 15_000,
  // A ping is sent this long after the last one; proxies forget quiet lines after 60 s. 0 for no keepalive.
  pingIntervalMs: 25_000,
  // Where nothing at all arrives for this long after a ping, the line is dead.
  pongTimeoutMs: 10_000,
  // Frames that wait while no socket is open; below the burst of 200 that a host allows.
  queueLimit: 100,
  // Bytes that an open but stalled socket may hold back before `emit` refuses.
  bufferLimit: 1_048_576,
});

// Answers to a request of the client's own making that a later attempt may not get: too slow, too early, too many, and
// 426, by which Parlor says that it would accept an upgrade now.
const PASSING = new Set([408, 425, 426, 429]);
const DOUBT_AFTER = 8; // what was open once most likely comes back, and a question that nobody answers is noise
const WORDS_LIMIT = 1_000; // characters of a refusal's words that are kept

const OPEN = 1; // WebSocket.OPEN, for constructors that lack the constants
const NORMAL = 1000;
const ABNORMAL = 1006;
const POLICY = 1008;
const RESTART = 1012;
const TRY_LATER = 1013;

/** Connects at once: the same as `new ParlorClient(address, options)`. */
export function connect(address, options) {
  return new ParlorClient(address, options);
}

/** One frame as Verani writes it: the key `data` is absent where there is none, and so is `channel`. */
export function encodeFrame(type, data, channel) {
  if (typeof type !== "string" || type === "") throw new TypeError("the event must be a string that is not empty");
  if (channel !== undefined && typeof channel !== "string") throw new TypeError("the channel must be a string");
  return JSON.stringify({ type, channel, data });
}

/** The wait before attempt number `attempt` (0 for the first after a good connection), in milliseconds. */
export function backoffDelay(attempt, code, settings, random = Math.random) {
  let ceiling = Math.min(settings.maxDelayMs, settings.baseDelayMs * 2 ** attempt);
  if (code === RESTART) ceiling = Math.max(ceiling, Math.min(settings.maxDelayMs, settings.restartSpreadMs));
  const slow = code === POLICY || code === TRY_LATER ? settings.slowDelayMs : 0;
  return Math.round(slow + random() * ceiling);
}

/** `/ws` -> `ws://this.host/ws?room=...&userId=...`: http becomes ws, https becomes wss, a fragment is cut off. */
export function socketAddress(address, { base, room, query } = {}) {
  const url = new URL(address, base ?? globalThis.location?.href);
  url.protocol = { "http:": "ws:", "https:": "wss:" }[url.protocol] ?? url.protocol;
  if (url.protocol !== "ws:" && url.protocol !== "wss:") throw new TypeError(`no WebSocket address: ${url.href}`);
  url.hash = "";
  if (room !== undefined) url.searchParams.set("room", room);
  const values = typeof query === "function" ? query() : query;
  for (const [key, value] of Object.entries(values ?? {})) {
    if (value !== undefined && value !== null) url.searchParams.set(key, value);
  }
  return url.href;
}

// Why an address refuses connections for good: `{ status, words }`, or nothing where a later attempt may succeed or where
// nobody can say.
async function refusalOf(address, { fetch, connectTimeoutMs }) {
  const cut = new AbortController();
  const timer = setTimeout(() => cut.abort(), connectTimeoutMs);
  try {
    const answer = await fetch(address.replace(/^ws/, "http"), {
      cache: "no-store",
      credentials: "include", // the upgrade had them as well
      redirect: "manual",
      referrerPolicy: "origin", // what the upgrade had in `Origin`, which a GET to one's own host lacks
      signal: cut.signal,
    });
    const { status } = answer;
    const isFinal = status >= 400 && status < 500 && !PASSING.has(status);
    return isFinal ? { status, words: (await answer.text()).trim().slice(0, WORDS_LIMIT) } : undefined;
  } catch {
    return undefined; // nobody answers, or this page may not read the answer
  } finally {
    clearTimeout(timer);
  }
}

// A listener that throws must not keep the others from hearing.
function call(listeners, ...args) {
  for (const listener of [...listeners]) {
    try {
      listener(...args);
    } catch (error) {
      if (typeof globalThis.reportError === "function") globalThis.reportError(error);
      else console.error(error);
    }
  }
}

function subscribe(listeners, listener) {
  if (typeof listener !== "function") throw new TypeError("a listener must be a function");
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** A connection to one room that comes back when it is lost. */
export class ParlorClient {
  #address;
  #settings;
  #socket = null;
  #state = "closed";
  #attempt = 0; // failed or short-lived connections in a row
  #wasOpen = false;
  #tried = ""; // the address of the last attempt
  #question = null; // while the client asks why an attempt failed; `isDue` once the wait for the next one is over
  #openedAt = 0;
  #queue = [];
  #ready;
  #listeners = new Map(); // event -> Set
  #anyListeners = new Set();
  #stateListeners = new Set();
  #frameListeners = new Set();
  #retryTimer;
  #connectTimer;
  #pingTimer;
  #pongTimer;
  #online = () => this.retry();

  constructor(address, options = {}) {
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const { WebSocket, fetch } = globalThis;
    this.#settings = { WebSocket, fetch: fetch?.bind(globalThis), random: Math.random, ...DEFAULTS, ...given };
    if (typeof this.#settings.WebSocket !== "function") {
      throw new TypeError("there is no WebSocket here: give a constructor as the option `WebSocket`");
    }
    this.#address = address;
    this.#ready = deferred();
    this.#open();
    globalThis.addEventListener?.("online", this.#online);
  }

  /** `connecting`, `open`, `waiting` (lost, the next attempt is due) or `closed` (for good). */
  get state() {
    return this.#state;
  }

  /** How many frames wait for a connection. */
  get queued() {
    return this.#queue.length;
  }

  /** Fulfilled when the connection is open, now or next time; rejected when it is closed for good. */
  get ready() {
    return this.#ready.promise;
  }

  /** Hear an event: `listener(data, { type, channel })`, `data` as it came, its `type` included. Returns the undoing. */
  on(event, listener) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    subscribe(this.#listeners.get(event), listener);
    return () => this.off(event, listener);
  }

  /** Hear it no longer; without a listener, none of this event do. */
  off(event, listener) {
    const listeners = this.#listeners.get(event);
    if (listeners && listener !== undefined) listeners.delete(listener);
    if (listener === undefined || listeners?.size === 0) this.#listeners.delete(event);
  }

  /** Hear every event, after its own listeners: `listener(data, { type, channel })`. Returns the undoing. */
  onAny(listener) {
    return subscribe(this.#anyListeners, listener);
  }

  /** Hear of every change: `listener({ state, attempt, delayMs?, close? })`. Returns the undoing. */
  onState(listener) {
    return subscribe(this.#stateListeners, listener);
  }

  /** See every raw text frame, keepalive included: `listener("in" | "out", text)`. Returns the undoing. */
  onFrame(listener) {
    return subscribe(this.#frameListeners, listener);
  }

  /**
   * Send an event. True: handed to the open socket, or queued until one is. False: refused, and never sent, because
   * the client is closed, the queue is full or an open socket is stalled. Throws where `data` is no JSON.
   */
  emit(event, data, channel) {
    const text = encodeFrame(event, data, channel);
    if (this.#state === "closed") return false;
    if (this.#state === "open" && this.#socket.readyState === OPEN) {
      if ((this.#socket.bufferedAmount ?? 0) > this.#settings.bufferLimit) return false;
      this.#send(text);
      return true;
    }
    if (this.#queue.length >= this.#settings.queueLimit) return false;
    this.#queue.push(text);
    return true;
  }

  /** Try at once instead of waiting; nothing happens unless the state is `waiting`. */
  retry() {
    if (this.#state === "waiting") this.#open();
  }

  /** Close for good: no reconnect, and what was queued is dropped. `code` is 1000 or 3000 to 4999. */
  close(code = NORMAL, reason = "") {
    if (this.#state === "closed") return;
    const socket = this.#release();
    if (socket) quietly(() => socket.close(code, reason));
    this.#end({ code, reason, wasClean: true, opened: this.#state === "open" });
  }

  #open() {
    const { WebSocket: Socket, connectTimeoutMs } = this.#settings;
    clearTimeout(this.#retryTimer);
    this.#question = null;
    let socket;
    try {
      this.#tried = socketAddress(this.#address, this.#settings);
      socket = new Socket(this.#tried);
    } catch (error) {
      if (this.#state === "closed") throw error; // the first attempt: the address is wrong, and its author is told
      return this.#lost({ code: ABNORMAL, reason: error.message, wasClean: false }, false);
    }
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason, wasClean }) => this.#lost({ code, reason, wasClean });
    socket.onerror = () => {}; // `close` follows and says more; a listener keeps emitters of node from throwing
    this.#connectTimer = setTimeout(
      () => this.#abandon(`not open within ${connectTimeoutMs} ms`),
      connectTimeoutMs,
    );
    this.#setState("connecting");
  }

  #opened() {
    clearTimeout(this.#connectTimer);
    this.#openedAt = Date.now();
    this.#wasOpen = true;
    this.#schedulePing();
    this.#state = "open";
    // The queue goes first: what a state listener emits comes after what was emitted before.
    for (const text of this.#queue.splice(0)) this.#send(text);
    if (this.#state !== "open") return; // a frame listener closed it
    this.#setState("open");
    this.#ready.resolve();
  }

  #send(text) {
    if (this.#socket?.readyState !== OPEN) return;
    this.#socket.send(text);
    call(this.#frameListeners, "out", text);
  }

  #receive(text) {
    if (typeof text !== "string") return; // rooms speak text
    this.#stopPongTimer(); // whatever arrives shows that the line is alive
    call(this.#frameListeners, "in", text);
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    const type = frame?.data?.type;
    if (frame?.type !== "event" || typeof type !== "string") return; // a bare pong, or a kind of a later protocol
    const about = { type, channel: frame.channel };
    call(this.#listeners.get(type) ?? [], frame.data, about);
    call(this.#anyListeners, frame.data, about);
  }

  #schedulePing() {
    const { pingIntervalMs, pongTimeoutMs } = this.#settings;
    if (!(pingIntervalMs > 0)) return;
    this.#pingTimer = setTimeout(() => {
      this.#schedulePing();
      // The first unanswered ping counts: a later one does not buy a dead line more time.
      this.#pongTimer ??= setTimeout(() => this.#abandon(`nothing within ${pongTimeoutMs} ms of a ping`), pongTimeoutMs);
      this.#send('{"type":"ping"}');
    }, pingIntervalMs);
  }

  #stopPongTimer() {
    clearTimeout(this.#pongTimer);
    this.#pongTimer = undefined;
  }

  // A dead line does not answer a close either: leave it behind instead of waiting for it.
  #abandon(reason) {
    const socket = this.#socket;
    this.#lost({ code: ABNORMAL, reason, wasClean: false });
    quietly(() => socket.close());
  }

  #lost(closing, wasTried = true) {
    const close = { ...closing, opened: this.#state === "open" };
    this.#release();
    if (close.opened && Date.now() - this.#openedAt >= this.#settings.stableAfterMs) this.#attempt = 0;
    const comeBack = this.#settings.shouldReconnect ?? (({ code }) => code !== NORMAL);
    if (!comeBack(close, this.#attempt)) return this.#end(close);
    const delayMs = backoffDelay(this.#attempt, close.code, this.#settings, this.#settings.random);
    this.#attempt += 1;
    if (close.opened) this.#ready = deferred();
    // The answer to a question comes before the next attempt.
    const due = () => (this.#question ? (this.#question.isDue = true) : this.#open());
    this.#retryTimer = setTimeout(due, delayMs);
    const isRefused = wasTried && !close.opened && close.code === ABNORMAL;
    if (isRefused && this.#settings.fetch && (!this.#wasOpen || this.#attempt >= DOUBT_AFTER)) this.#ask(close);
    this.#setState("waiting", { delayMs, close });
  }

  // Asks why the attempt failed, while the wait for the next one runs.
  async #ask(close) {
    const question = { isDue: false };
    this.#question = question;
    const refusal = await refusalOf(this.#tried, this.#settings);
    if (this.#question !== question) return; // another attempt has begun, or the client is closed
    this.#question = null;
    if (refusal) this.#end({ ...close, reason: refusal.words, status: refusal.status });
    else if (question.isDue) this.#open();
  }

  #end(close) {
    clearTimeout(this.#retryTimer);
    this.#question = null;
    globalThis.removeEventListener?.("online", this.#online);
    this.#queue.length = 0;
    if (close.opened) this.#ready = deferred();
    const { code, status, reason } = close;
    const why = status === undefined ? `closed: ${code}` : `refused: ${status}`;
    this.#ready.reject(Object.assign(new Error(reason ? `${why} ${reason}` : why), { code, status }));
    this.#setState("closed", { close });
  }

  // The socket is ours no longer: what it still says is not heard, and its timers are off.
  #release() {
    const socket = this.#socket;
    for (const timer of [this.#connectTimer, this.#pingTimer]) clearTimeout(timer);
    this.#stopPongTimer();
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    this.#socket = null;
    return socket;
  }

  #setState(state, more = {}) {
    this.#state = state;
    call(this.#stateListeners, { state, attempt: this.#attempt, ...more });
  }
}

function deferred() {
  const later = {};
  later.promise = new Promise((resolve, reject) => Object.assign(later, { resolve, reject }));
  later.promise.catch(() => {}); // nobody has to wait for it
  return later;
}

function quietly(act) {
  try {
    act();
  } catch {
    // a socket that is closed already, or a code that it does not take: closed is what we wanted
  }
}
