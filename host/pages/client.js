// A small browser client for Parlor rooms: Verani frames, reconnect, keepalive, a bounded queue.
//
//     import { connect } from "/_parlor/client.js";
//     const chat = connect("/ws", { room: "lobby", query: { userId: "ana" } });
//     chat.on("chat.message", (data) => console.log(data.from, data.text));
//     await chat.ready;
//     chat.emit("chat.message", { text: "hello" });
// It runs in browsers, and wherever a WebSocket constructor can be given. Types: client.d.ts.
//
// A line that breaks is nothing that a page has to care for, where the client is back in time: the session goes on, and nothing
// is missing in either direction (`resumed`). Where it is not, another session begins (`onLost`): what came meanwhile is
// missing, and what was handed to the line that broke is not sent again. What was emitted while no socket was open waits
// in the queue and is sent, in order, once one is.
//
// What a close code means here:
//   1000        the room said goodbye: no reconnect. The same after `close()`.
//   1012        the host restarts, or a late attempt of this client took its line over: the first wait is spread wider.
//   1008, 1013  a limit was passed, or "try later": `slowDelayMs` on top of each wait.
//   all others  (1011, 1009, 1006 for a broken line or a refused upgrade, a plugin's own) the usual back-off.
// `shouldReconnect` can decide otherwise, for instance never after a code of the plugin's own.
//
// A page cannot see why an upgrade was refused. So the client asks the same address with a plain GET, which Parlor answers
// the same: after each attempt that fails before the first connection, and later on from the eighth in a row. Where no
// further attempt can succeed (no such room or plugin, not allowed), the client is closed for good, and `ready` is rejected
// with an error that has the answer's `status` and its words.

import { DOUBT_AFTER, refusalOf, socketAddress } from "./client/address.js";
import { decodeFrame, encodeFrame } from "./client/frames.js";
import { call, deferred, quietly, report, subscribe } from "./client/listeners.js";
import { Histories } from "./client/histories.js";
import { Requests } from "./client/requests.js";
import { PING, Session } from "./client/session.js";
import { ABNORMAL, DEFAULTS, NORMAL, backoffDelay } from "./client/waits.js";

export { DEFAULTS, backoffDelay, encodeFrame, socketAddress };

const OPEN = 1; // WebSocket.OPEN, for constructors that lack the constants

/** Connects at once: the same as `new ParlorClient(address, options)`. */
export function connect(address, options) {
  return new ParlorClient(address, options);
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
  #answerers = new Map(); // event -> function
  #lostListeners = new Set();
  #requests = new Requests();
  #session;
  #histories;
  #resumed = false;
  #retryTimer;
  #connectTimer;
  #pingTimer;
  #pongTimer;
  #online = () => this.retry();

  constructor(address, options = {}) {
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const { WebSocket, fetch } = globalThis;
    const others = { WebSocket, fetch: fetch?.bind(globalThis), random: Math.random, resume: true };
    this.#settings = { ...others, ...DEFAULTS, ...given };
    if (typeof this.#settings.WebSocket !== "function") {
      throw new TypeError("there is no WebSocket here: give a constructor as the option `WebSocket`");
    }
    this.#address = address;
    this.#session = new Session(this.#settings.resume);
    this.#histories = new Histories(this.#settings.since);
    this.#ready = deferred();
    this.#open();
    globalThis.addEventListener?.("online", this.#online);
  }

  /** `connecting`, `open`, `waiting` (lost, the next attempt is due) or `closed` (for good). */
  get state() {
    return this.#state;
  }

  /** Whether the connection that is open, or was last, goes on where the one before ended, and nothing is missing. */
  get resumed() {
    return this.#resumed;
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

  /** Hear of every change: `listener({ state, attempt, resumed?, delayMs?, close? })`. Returns the undoing. */
  onState(listener) {
    return subscribe(this.#stateListeners, listener);
  }

  /**
   * Hear that the connection is back and could not go on where it ended: what the room said meanwhile is missing, so load
   * again what rests on it. Comes before the state `open`. Returns the undoing.
   */
  onLost(listener) {
    return subscribe(this.#lostListeners, listener);
  }

  /**
   * Hear what came in a channel while the client was away, where the room keeps the channel's history and the session could not
   * go on: `listener({ channel, recovered, events: [{ data, at }] })`. `recovered` says that the events are all of it; then
   * listeners get each of them as if it came now, behind this. Returns the undoing.
   */
  onHistory(listener) {
    return this.#histories.subscribe(listener);
  }

  /** See every raw text frame, keepalive included: `listener("in" | "out", text)`. Returns the undoing. */
  onFrame(listener) {
    return subscribe(this.#frameListeners, listener);
  }

  /**
   * Answer what the room asks: `answerer(data, { type, channel })`, whose return value, or the value of the promise that it
   * returns, is the answer. The last answerer of an event counts; listeners hear the event as well. Returns the undoing.
   */
  onAsk(event, answerer) {
    if (typeof answerer !== "function") throw new TypeError("an answerer must be a function");
    this.#answerers.set(event, answerer);
    return () => void (this.#answerers.get(event) === answerer && this.#answerers.delete(event));
  }

  /**
   * Send an event. True: handed to the open socket, or queued until one is. False: refused, and never sent, because
   * the client is closed, the queue is full or an open socket is stalled. Throws where `data` is neither
   * JSON nor a Uint8Array.
   */
  emit(event, data, channel) {
    return this.#hand(encodeFrame(event, data, channel));
  }

  /**
   * Send an event, or queue it, and wait for its acknowledgement: what its handler answered. Rejected with an error that has a
   * `code`: that of a failed turn, `no-handler`, `timeout`, `refused` where `emit` would return false, or `closed` where
   * the connection ended first.
   */
  request(event, data, { channel, timeoutMs = this.#settings.requestTimeoutMs } = {}) {
    return this.#requests.make(timeoutMs, {
      encode: (id) => encodeFrame(event, data, channel, id),
      hand: (text) => this.#hand(text),
      withdraw: (text) => (this.#queue = this.#queue.filter((queued) => queued !== text)),
    });
  }

  #hand(text) {
    if (this.#state === "closed") return false;
    if (this.#state === "open" && this.#socket.readyState === OPEN) {
      const { bufferedAmount = 0 } = this.#socket;
      if (Math.max(bufferedAmount, this.#session.unheardBytes) > this.#settings.bufferLimit) return false;
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
      this.#tried = socketAddress(this.#address, {
        ...this.#settings,
        session: this.#session.query,
        since: this.#histories.since,
      });
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
    this.#expect("not open");
    this.#setState("connecting");
  }

  #expect(missing) {
    const { connectTimeoutMs } = this.#settings;
    clearTimeout(this.#connectTimer);
    this.#connectTimer = setTimeout(() => this.#abandon(`${missing} within ${connectTimeoutMs} ms`), connectTimeoutMs);
  }

  #opened() {
    this.#session.opened();
    if (this.#session.isAwaited) this.#expect("the session is not back");
    else this.#begin(false);
  }

  // The server says which session this is.
  #told(frame) {
    const wasAwaited = this.#session.isAwaited;
    const again = this.#session.told(frame);
    if (!wasAwaited) return;
    if (again) this.#queue.unshift(...again);
    else this.#requests.lose(this.#queue);
    this.#begin(again !== undefined);
  }

  #begin(resumed) {
    clearTimeout(this.#connectTimer);
    this.#openedAt = Date.now();
    this.#resumed = resumed;
    if (this.#wasOpen && !resumed) call(this.#lostListeners);
    this.#wasOpen = true;
    if (!this.#socket) return; // a listener closed it
    this.#schedulePing();
    this.#state = "open";
    // The queue goes first: what a state listener emits comes after what was emitted before.
    for (const text of this.#queue.splice(0)) this.#send(text);
    if (this.#state !== "open") return; // a frame listener closed it
    this.#setState("open", { resumed });
    this.#ready.resolve();
  }

  #send(text) {
    this.#session.sent(text);
    if (this.#socket?.readyState !== OPEN) return;
    this.#socket.send(text);
    call(this.#frameListeners, "out", text);
    if (this.#session.isPingDue) this.#send(PING);
  }

  #receive(text) {
    if (typeof text !== "string") return; // rooms speak text
    this.#stopPongTimer(); // whatever arrives shows that the line is alive
    call(this.#frameListeners, "in", text);
    if (this.#session.isAwaited) this.#expect("the session is not back"); // a long backlog takes its time
    const frame = decodeFrame(text);
    if (frame?.type === "session") return this.#told(frame);
    this.#session.came(frame?.type);
    if (frame?.type === "ack") return this.#requests.settle(frame);
    if (frame?.type === "history") return this.#histories.told(frame, (...event) => this.#tell(...event));
    const type = frame?.data?.type;
    if (frame?.type !== "event" || typeof type !== "string") return; // a bare pong, or a kind of a later protocol
    this.#histories.heard(frame);
    const about = { type, channel: frame.channel };
    const answerer = frame.id === undefined ? undefined : this.#answerers.get(type);
    if (answerer) this.#answer(frame.id, () => answerer(frame.data, about));
    this.#tell(frame.data, about);
  }

  #tell(data, about) {
    call(this.#listeners.get(about.type) ?? [], data, about);
    call(this.#anyListeners, data, about);
  }

  // Where there is no answer the room hears that the time ran out. Another session was not asked.
  async #answer(id, answerer) {
    const { epoch } = this.#session;
    try {
      const text = encodeFrame("ack", await answerer(), undefined, id);
      if (this.#session.epoch === epoch && this.#session.isKept) this.#hand(text);
      else if (this.#session.epoch === epoch) this.#send(text);
    } catch (error) {
      report(error);
    }
  }

  #schedulePing() {
    const { pingIntervalMs, pongTimeoutMs } = this.#settings;
    if (!(pingIntervalMs > 0)) return;
    this.#pingTimer = setTimeout(() => {
      this.#schedulePing();
      // The first unanswered ping counts: a later one does not buy a dead line more time.
      this.#pongTimer ??= setTimeout(() => this.#abandon(`nothing within ${pongTimeoutMs} ms of a ping`), pongTimeoutMs);
      this.#send(PING);
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
    if (!this.#session.isKept) this.#requests.lose(this.#queue);
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
    this.#requests.lose(this.#queue);
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
