/** The parts of the web's API about requests. */

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

type Init = Headers | Record<string, string> | Iterable<readonly [string, string]>;

function needName(name: unknown): string {
  const text = String(name);
  if (!NAME.test(text)) throw new TypeError(`${JSON.stringify(text)} is no name of a header`);
  return text.toLowerCase();
}

function needValue(value: unknown): string {
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
  if (/[\0\n\r]/.test(text)) throw new TypeError(`${JSON.stringify(text)} is no value of a header`);
  return text;
}

/** The one header whose values are not joined: a date in one has a comma. */
const COOKIES = "set-cookie";

/** Headers as fetch's: names in any case, several values of one joined by a comma (those of `cookie` by a semicolon). */
export class Headers {
  readonly #values = new Map<string, string>();
  #cookies: string[] = [];

  constructor(init?: Init) {
    if (init === undefined || init === null) return;
    const pairs = Symbol.iterator in Object(init) ? (init as Iterable<[string, string]>) : Object.entries(init);
    for (const [name, value] of pairs) this.append(name, value);
  }

  append(name: string, value: string): void {
    const key = needName(name);
    const before = this.#values.get(key);
    const text = needValue(value);
    if (key === COOKIES) this.#cookies.push(text);
    this.#values.set(key, before === undefined ? text : `${before}${key === "cookie" ? "; " : ", "}${text}`);
  }

  delete(name: string): void {
    const key = needName(name);
    this.#values.delete(key);
    if (key === COOKIES) this.#cookies = [];
  }

  get(name: string): string | null {
    return this.#values.get(needName(name)) ?? null;
  }

  has(name: string): boolean {
    return this.#values.has(needName(name));
  }

  set(name: string, value: string): void {
    this.delete(name);
    this.append(name, value);
  }

  getSetCookie(): string[] {
    return [...this.#cookies];
  }

  forEach(callback: (value: string, name: string, parent: Headers) => void, thisArg?: unknown): void {
    for (const [name, value] of this) callback.call(thisArg, value, name, this);
  }

  *entries(): IterableIterator<[string, string]> {
    for (const [name, value] of [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (name === COOKIES) for (const cookie of this.#cookies) yield [name, cookie];
      else yield [name, value];
    }
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
}

/** A request without a body: nothing else asks for a connection. */
export class Request {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;

  /** What has a `url` is a request, whose address is known to be one. */
  constructor(input: string | URL | Pick<Request, "url">, init: { method?: string; headers?: Init } = {}) {
    const from = input as Partial<Request>;
    this.url = typeof from.url === "string" ? from.url : new URL(String(input)).href;
    this.method = (init.method ?? from.method ?? "GET").toUpperCase();
    this.headers = new Headers(init.headers ?? from.headers);
  }
}
