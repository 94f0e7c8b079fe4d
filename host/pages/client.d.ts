// Types of client.js: a small browser client for Parlor rooms.

/** `connecting`, `open`, `waiting` (lost, the next attempt is due) or `closed` (for good). */
export type ClientState = "connecting" | "open" | "waiting" | "closed";

/** What is known of a connection that ended. */
export interface CloseInfo {
  /** The WebSocket close code; 1006 where the line broke, never opened or went dead. */
  code: number;
  /** The reason that came with it, or words of the client's own for 1006; with `status` the words of the refusal. */
  reason: string;
  /** Whether both sides said goodbye. */
  wasClean: boolean;
  /** Whether the connection had opened; false for a refused upgrade. */
  opened: boolean;
  /** The HTTP status of a refusal that no further attempt can change: 400, 401, 403, 404 or a like one. */
  status?: number;
}

/** What `ready` is rejected with. */
export interface ClosedError extends Error {
  /** The WebSocket close code. */
  code: number;
  /** Where the server refused the connection: the HTTP status. */
  status?: number;
}

/** What a request is rejected with. */
export interface RequestError extends Error {
  /**
   * The code of the turn that failed, such as `chat.empty`; `no-handler` where nobody handles the event. Of the client's own:
   * `timeout`; `closed` where the connection ended first and the session with it; `refused` where `emit` would return false.
   */
  code: string;
}

/** What may be said of a request. */
export interface RequestOptions {
  /** The channel that the room is told. */
  channel?: string;
  /** How long to wait; 0 for ever. Default: `requestTimeoutMs`. */
  timeoutMs?: number;
}

/** One change of state. */
export interface StateChange {
  state: ClientState;
  /** Failed or short-lived connections in a row. */
  attempt: number;
  /**
   * With `open`: whether the connection goes on where the last one ended, and nothing is missing in either direction. False at
   * the first as well.
   */
  resumed?: boolean;
  /** With `waiting`: milliseconds until the next attempt. */
  delayMs?: number;
  /** With `waiting` and `closed`: how the last connection ended. */
  close?: CloseInfo;
}

/** What comes beside the data of an event. */
export interface EventInfo {
  /** The event's name. */
  type: string;
  /** The channel that it was sent to. */
  channel: string;
}

/**
 * The data of an event: what the room sent, and `type`, the event's name. Data that is no object comes as
 * `{ type, data: VALUE }`. Bytes are `Uint8Array`, in the place of the data or anywhere in it.
 */
export type EventData<T> = T & { type: string };

export type EventListener<T> = (data: EventData<T>, info: EventInfo) => void;

/** What came in a channel while the client was away. */
export interface Missed {
  channel: string;
  /**
   * Whether the events are all that came since the last one that the client heard; listeners get them then, one by one. Where
   * it is false, they are what the room still keeps, and something before them may be missing: load again what rests on it.
   */
  recovered: boolean;
  /** The events, the oldest first, each with its position. */
  events: { data: EventData<any>; at: string }[];
}

/** The constructor of a WebSocket, as browsers have it. */
export type SocketConstructor = new (url: string) => {
  readonly readyState: number;
  readonly bufferedAmount?: number;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
};

/** Times and bounds. All times are in milliseconds. */
export interface Timings {
  /** The ceiling of the first wait, doubled for each further one. Default 500. */
  baseDelayMs: number;
  /** The highest ceiling of a wait. Default 30,000. */
  maxDelayMs: number;
  /** The least ceiling of the wait after 1012 (restart). Default 2,000. */
  restartSpreadMs: number;
  /** Added to each wait after 1008 (policy) and 1013 (try later). Default 5,000. */
  slowDelayMs: number;
  /** A connection that lived this long resets the back-off. Default 5,000. */
  stableAfterMs: number;
  /** An attempt that did not open by then counts as failed. Default 15,000. */
  connectTimeoutMs: number;
  /** Time between two pings; 0 for no keepalive. Default 25,000. */
  pingIntervalMs: number;
  /** Where nothing arrives for this long after a ping, the connection is given up. Default 10,000. */
  pongTimeoutMs: number;
  /** How long a request waits for its acknowledgement; 0 for ever. Default 10,000. */
  requestTimeoutMs: number;
  /** How many frames may wait while no socket is open. Default 100. */
  queueLimit: number;
  /** How many bytes an open socket may hold back before `emit` refuses. Default 1,048,576. */
  bufferLimit: number;
}

export interface AddressOptions {
  /** The room: 1 to 128 of `A-Za-z0-9._~-`. Without it, the room `default`. */
  room?: string;
  /** Further query parameters. A function is asked at every attempt, for tokens that expire. */
  query?: QueryValues | (() => QueryValues);
  /** What a relative address is relative to. Default: the page's own address. */
  base?: string | URL;
}

export type QueryValues = Record<string, string | number | boolean | null | undefined>;

export interface ClientOptions extends Partial<Timings>, AddressOptions {
  /**
   * Whether to come back after this ending. Default: always, except after 1000. Never asked after `close()`, nor where
   * the server refused the connection for good.
   */
  shouldReconnect?: (close: CloseInfo, attempt: number) => boolean;
  /** Default: the environment's own. */
  WebSocket?: SocketConstructor;
  /** Asks why an upgrade was refused. Default: the environment's own; `null`: nobody asks, and each refusal is tried again. */
  fetch?: ((url: string, init: any) => Promise<{ status: number; text(): Promise<string> }>) | null;
  /**
   * The channels of which the first connection wants to hear what the room keeps, with the position up to which it has all:
   * `{ default: "0" }` for all that is kept. Later connections ask by themselves for what the client missed.
   */
  since?: Record<string, string>;
  /** Whether a session goes on over the next line where its line broke, if the server keeps sessions. Default true. */
  resume?: boolean;
  /** Where the jitter comes from: a number from 0 up to 1. Default `Math.random`. */
  random?: () => number;
}

/** The default times and bounds. */
export const DEFAULTS: Readonly<Timings>;

/** Connects at once: the same as `new ParlorClient(address, options)`. */
export function connect(address: string | URL, options?: ClientOptions): ParlorClient;

/** A connection to one room that comes back when it is lost. Throws at once where the address is none. */
export class ParlorClient {
  constructor(address: string | URL, options?: ClientOptions);
  readonly state: ClientState;
  /** Whether the connection that is open, or was last, goes on where the one before ended, and nothing is missing. */
  readonly resumed: boolean;
  /** How many frames wait for a connection. */
  readonly queued: number;
  /**
   * Fulfilled when the connection is open, now or next time. Rejected when it is closed for good, with a `ClosedError`.
   */
  readonly ready: Promise<void>;
  /** Hear an event. Returns the undoing. */
  on<T = any>(event: string, listener: EventListener<T>): () => void;
  /** Hear it no longer; without a listener, none of this event do. */
  off(event: string, listener?: EventListener<any>): void;
  /** Hear every event, after its own listeners. Returns the undoing. */
  onAny<T = any>(listener: EventListener<T>): () => void;
  /** Hear of every change of state. Returns the undoing. */
  onState(listener: (change: StateChange) => void): () => void;
  /**
   * Hear that the connection is back and could not go on where it ended: what the room said meanwhile is missing, so load
   * again what rests on it. Comes before the state `open`. Returns the undoing.
   */
  onLost(listener: () => void): () => void;
  /**
   * Hear what came in a channel while the client was away, where the room keeps the channel's history and the session could
   * not go on. Where it is all, listeners get each event behind this, as if it came now. Returns the undoing.
   */
  onHistory(listener: (missed: Missed) => void): () => void;
  /** See every raw text frame, keepalive included. Returns the undoing. */
  onFrame(listener: (direction: "in" | "out", text: string) => void): () => void;
  /**
   * Answer what the room asks: what `answerer` returns, or the promise that it returns comes to, is the answer. Where it throws,
   * or there is no answerer of the event, the room hears that the time ran out. The last answerer of an event counts, and
   * listeners hear the event as well. Returns the undoing.
   */
  onAsk<T = any>(event: string, answerer: (data: EventData<T>, info: EventInfo) => unknown): () => void;
  /**
   * Send an event. True: handed to the open socket, or queued until one is. False: refused, and never sent, because
   * the client is closed, the queue is full or an open socket is stalled. Throws a `TypeError` where `data` is neither JSON
   * nor a `Uint8Array`; bytes within it are not sent.
   */
  emit(event: string, data?: unknown, channel?: string): boolean;
  /**
   * Send an event, or queue it as `emit` does, and wait for its acknowledgement: the handler's answer, `undefined` where it gave
   * none. What the handler stored is safe by then. Rejected with a {@link RequestError}.
   */
  request<T = any>(event: string, data?: unknown, options?: RequestOptions): Promise<T>;
  /** Try at once instead of waiting; nothing happens unless the state is `waiting`. */
  retry(): void;
  /** Close for good: no reconnect, queued frames are dropped. `code` is 1000 (the default) or 3000 to 4999. */
  close(code?: number, reason?: string): void;
}

/** One frame as Verani writes it: what is not given is absent. Bytes as `data` become `base64`. */
export function encodeFrame(type: string, data?: unknown, channel?: string, id?: number): string;

/** The wait before attempt number `attempt`, in milliseconds, after a connection that ended with `code`. */
export function backoffDelay(attempt: number, code: number, settings: Timings, random?: () => number): number;

/** The absolute WebSocket address: http becomes ws, https becomes wss, room and query are added. */
export function socketAddress(address: string | URL, options?: AddressOptions): string;
