/** The globals of a plugin: the type names of Verani's API, and the parts of the web's API that Parlor supplies. */

/** As the one of `@parlor/guest`. */
type ConnectionMeta = import("./meta.js").ConnectionMeta;
/** As the one of `@parlor/guest`. */
type RoomContext<M extends ConnectionMeta = ConnectionMeta, E = unknown> = import("./context.js").RoomContext<M, E>;
/** As the one of `@parlor/guest`. */
type MessageContext<M extends ConnectionMeta = ConnectionMeta, E = unknown> = import("./context.js").MessageContext<M, E>;

/** The plugin's log. A text with `%s`, `%d`, `%i`, `%f`, `%j`, `%o`, `%O` or `%c` takes the values behind it, as in a browser. */
interface Console {
  /** Writes a line with the level debug. */
  debug(...values: unknown[]): void;
  /** Writes a line with the level info. */
  log(...values: unknown[]): void;
  /** Writes a line with the level info. */
  info(...values: unknown[]): void;
  /** Writes a line with the level warn. */
  warn(...values: unknown[]): void;
  /** Writes a line with the level error. */
  error(...values: unknown[]): void;
  /** Writes a line with the level debug: the values, and where it was called. */
  trace(...values: unknown[]): void;
  /** Writes a line with the level error if `condition` is false. */
  assert(condition: unknown, ...values: unknown[]): void;
  /** Writes a value with the level info. */
  dir(value: unknown): void;
  /** Writes a value with the level info. */
  dirxml(...values: unknown[]): void;
  /** Writes data as a table with the level info: a row for each of its members. */
  table(data: unknown, columns?: readonly string[]): void;
  /** Writes a line with the level info, and moves those that follow in, until the group or the turn ends. */
  group(...values: unknown[]): void;
  /** As {@link Console.group}. */
  groupCollapsed(...values: unknown[]): void;
  groupEnd(): void;
  /** Remembers the time by a label. Within a turn time stands still: this measures from one turn to another. */
  time(label?: string): void;
  /** Writes the time since {@link Console.time}. */
  timeLog(label?: string, ...values: unknown[]): void;
  /** Writes the time since {@link Console.time}, and forgets it. */
  timeEnd(label?: string): void;
  /** Writes how often this was called with the label, in this instance. */
  count(label?: string): void;
  countReset(label?: string): void;
  /** Does nothing: what is written is written. */
  clear(): void;
}
declare var console: Console;

/** Randomness from the host, which nobody can predict. It is not available at a module's top level, which runs at build time. */
interface Crypto {
  /** A random UUID of version 4. */
  randomUUID(): `${string}-${string}-${string}-${string}-${string}`;
  /** Fills an array of integers with random bytes; up to 65,536 of them. */
  getRandomValues<T extends ArrayBufferView>(array: T): T;
}
declare var crypto: Crypto;

/**
 * Runs `callback` before this turn ends. Timeouts run in the order in which they are due, without waiting in real time, since
 * the clock stands still within a turn. The turn ends when the handlers' promises have settled; timeouts that are left then
 * are dropped with a warning. Use `ctx.actor.timers` for what should run after the turn.
 */
declare function setTimeout(callback: (...args: any[]) => unknown, delayMs?: number, ...args: any[]): number;
/** Runs `callback` like {@link setTimeout}, again and again until it is cleared or the turn ends. */
declare function setInterval(callback: (...args: any[]) => unknown, delayMs?: number, ...args: any[]): number;
/** Forgets a timeout or an interval. */
declare function clearTimeout(id: number | undefined): void;
/** Forgets a timeout or an interval. */
declare function clearInterval(id: number | undefined): void;
/** Runs `callback` in this turn, after the code that runs now. */
declare function queueMicrotask(callback: () => void): void;
/** Makes a deep copy. Throws a `DataCloneError` for functions, symbols and other values that cannot be copied. */
declare function structuredClone<T>(value: T, options?: { transfer?: readonly ArrayBuffer[] }): T;
/** The time of the turn, counted from when it was first asked for. It stands still within a turn, as `Date` does. */
declare var performance: { readonly timeOrigin: number; now(): number };
/** Decodes base64 into a binary string. */
declare function atob(text: string): string;
/** Encodes a binary string as base64. */
declare function btoa(text: string): string;

/** An address, as https://url.spec.whatwg.org says. */
interface URL {
  hash: string;
  host: string;
  hostname: string;
  href: string;
  readonly origin: string;
  password: string;
  pathname: string;
  port: string;
  protocol: string;
  search: string;
  readonly searchParams: URLSearchParams;
  username: string;
  toJSON(): string;
  toString(): string;
}
declare var URL: {
  prototype: URL;
  new (url: string | URL, base?: string | URL): URL;
  canParse(url: string | URL, base?: string | URL): boolean;
  parse(url: string | URL, base?: string | URL): URL | null;
};

/** The query of an address. */
interface URLSearchParams {
  readonly size: number;
  append(name: string, value: string): void;
  delete(name: string, value?: string): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string, value?: string): boolean;
  set(name: string, value: string): void;
  sort(): void;
  forEach(callback: (value: string, name: string, parent: URLSearchParams) => void, thisArg?: any): void;
  entries(): IterableIterator<[string, string]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
  toString(): string;
}
declare var URLSearchParams: {
  prototype: URLSearchParams;
  new (init?: string | URLSearchParams | Record<string, string> | Iterable<[string, string]>): URLSearchParams;
};

/** The headers of a request. The case of names does not matter. */
interface Headers {
  append(name: string, value: string): void;
  delete(name: string): void;
  get(name: string): string | null;
  /** The values of `set-cookie`, each by itself. */
  getSetCookie(): string[];
  has(name: string): boolean;
  set(name: string, value: string): void;
  forEach(callback: (value: string, name: string, parent: Headers) => void, thisArg?: any): void;
  entries(): IterableIterator<[string, string]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
}
declare var Headers: {
  prototype: Headers;
  new (init?: Headers | Record<string, string> | Iterable<[string, string]>): Headers;
};

/** A request: an upgrade has no body. */
interface Request {
  /** The absolute address as the client saw it, its query included: `ws://host/ws?token=...`. */
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
}
declare var Request: {
  prototype: Request;
  new (input: string | URL | Request, init?: { method?: string; headers?: Headers | Record<string, string> }): Request;
};

/** Encodes text as UTF-8. */
interface TextEncoder {
  readonly encoding: "utf-8";
  encode(text?: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, target: Uint8Array): { read: number; written: number };
}
declare var TextEncoder: { prototype: TextEncoder; new (): TextEncoder };

/** Decodes UTF-8. Throws a `RangeError` for other encodings. */
interface TextDecoder {
  readonly encoding: "utf-8";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(bytes?: ArrayBufferView | ArrayBuffer, options?: { stream?: boolean }): string;
}
declare var TextDecoder: {
  prototype: TextDecoder;
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder;
};

/** An error of the web's API. */
interface DOMException extends Error {
  readonly code: number;
}
declare var DOMException: { prototype: DOMException; new (message?: string, name?: string): DOMException };
