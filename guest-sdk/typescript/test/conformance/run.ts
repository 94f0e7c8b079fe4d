/** Runs a case of conformance in a test room. */

import { ConnectionRefused, TestRoom, TurnFailed, type TestSocket } from "@parlor/guest/testing";
import type { Case, Step, Verbs } from "./case.ts";
import { asWritten, matches, same } from "./compare.ts";

/** The number of the runner's own requests, which no case uses for frames of its own. */
const REQUEST = 1_000_000;
/** How long a client whose line broke may take to come back, as the cases have it. */
const RESUME_MS = 2_000;
/** The path that the reference plugin serves. */
const PATH = "/conformance";

/** The modules of the reference plugin's two versions. */
export interface Versions {
  first: string;
  second: string;
}

/** Runs a case; the error says at which step it failed, and how. */
export function run(given: Case, versions: Versions): void {
  const running = new Running(given, versions);
  given.steps.forEach((step, at) => {
    try {
      running.step(step);
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`step ${at + 1}, ${JSON.stringify(step).slice(0, 160)}: ${said}`, { cause });
    }
  });
  running.end();
}

class Running {
  readonly #case: Case;
  readonly #versions: Versions;
  readonly #room: TestRoom;
  readonly #sockets = new Map<string, TestSocket>();
  /** What each socket got and no step looked at. */
  readonly #inboxes = new Map<string, any[]>();
  /** The numbers of what each socket was asked and did not answer. */
  readonly #asks = new Map<string, number[]>();
  /** The sockets whose end a step named. */
  readonly #ended = new Set<string>();
  /** The sockets whose lines broke. */
  readonly #lost = new Set<string>();
  /** How many failures and lines steps have looked at. */
  #failures = 0;
  #lines = 0;

  constructor(given: Case, versions: Versions) {
    this.#case = given;
    this.#versions = versions;
    this.#room = new TestRoom({ entry: versions.first, roomId: given.name, ...(given.config && { config: given.config }) });
  }

  step(step: Step): void {
    const [verb, given] = typeof step === "string" ? [step, undefined] : Object.entries(step)[0]!;
    const run = this.#verbs[verb as keyof Verbs] as ((given: unknown) => void) | undefined;
    if (run === undefined) throw new Error(`there is no step ${verb}`);
    run(given);
  }

  /** Nothing has come that no step named, no socket was closed without one, and the storage holds what it should. */
  end(): void {
    this.#verbs.expect({});
    for (const [who, socket] of this.#sockets) {
      const closed = socket.closed();
      if (closed !== undefined && !this.#ended.has(who)) throw new Error(`${who} was closed: ${JSON.stringify(closed)}`);
    }
    if (this.#case.stored === undefined) return;
    same("stored", this.#case.stored, Object.fromEntries(this.#room.storedKeys.map((key) => [key, this.#stored(key)])));
  }

  /** A stored value as a case writes it. */
  #stored(key: string): unknown {
    try {
      return this.#room.stored(key);
    } catch {
      return { $bytes: [...this.#room.storedBytes(key)!] };
    }
  }

  readonly #verbs: { [V in keyof Verbs]: (given: Verbs[V]) => void } = {
    connect: ({ as: who, query, headers }) => {
      this.#sockets.set(who, this.#connect(who, query, headers));
      this.#ended.delete(who);
      this.#inboxes.set(who, []);
      this.#asks.set(who, []);
    },
    refused: ({ query, headers, status, body }) => {
      try {
        this.#connect("nobody", query, headers);
      } catch (error) {
        if (!(error instanceof ConnectionRefused)) throw error;
        return same("status and body", [status, body], [error.status, error.message]);
      }
      throw new Error("it was let in");
    },
    send: ({ from, frame }) => this.#socket(from).sendFrame(frame),
    do: ({ from, ops, did }) => {
      this.#socket(from).send("do", ops);
      const found = this.#take(from, (frame) => frame.data?.type === "did");
      if (did === undefined && found !== undefined) throw new Error(`it should fail, and there came ${JSON.stringify(found)}`);
      if (did === undefined) return;
      if (found === undefined) throw new Error(`the operations were not done; there came ${this.#left(from)}`);
      same("the results", did, found.data.data);
    },
    request: ({ from, frame, ack }) => {
      this.#socket(from).sendFrame({ ...frame, id: REQUEST });
      const found = this.#take(from, ({ type, id }) => type === "ack" && id === REQUEST);
      if (found === undefined) throw new Error(`there is no acknowledgement; there came ${this.#left(from)}`);
      const { type: _, id: __, ...rest } = found;
      same("the acknowledgement", ack, rest);
    },
    answer: ({ from, frame }) => {
      this.#collect(from);
      const id = this.#asks.get(from)!.shift();
      if (id === undefined) throw new Error(`${from} was asked nothing`);
      this.#socket(from).sendFrame({ ...frame, type: "ack", id });
    },
    expect: (expected) => {
      const unknown = Object.keys(expected).find((who) => !this.#inboxes.has(who));
      if (unknown !== undefined) throw new Error(`there is no socket ${unknown}`);
      for (const who of this.#inboxes.keys()) {
        const found = this.#collect(who).map(asWritten);
        this.#inboxes.set(who, []);
        same(who, expected[who] ?? [], found);
      }
    },
    closed: (expected) => {
      for (const [who, closing] of Object.entries(expected)) {
        same(who, closing, this.#socket(who).closed() ?? null);
        this.#ended.add(who);
      }
    },
    leave: ({ who, code, reason }) => {
      this.#collect(who);
      this.#ended.add(who);
      this.#socket(who).close(code, reason);
    },
    "lose-line": (who) => {
      this.#collect(who);
      this.#socket(who).loseLine();
      this.#lost.add(who);
    },
    "come-back": (who) => {
      this.#socket(who).comeBack();
      this.#lost.delete(who);
    },
    failures: (expected) => {
      const all = this.#room.failures();
      same("failures", expected, all.slice(this.#failures));
      this.#failures = all.length;
    },
    log: (expected) => {
      const all = this.#room.log();
      for (const line of expected) {
        const at = all.findIndex((found, number) => number >= this.#lines && matches(line, found));
        if (at < 0) {
          throw new Error(`${JSON.stringify(line)} is not in the log, or not in its place: ${JSON.stringify(all.slice(this.#lines))}`);
        }
        this.#lines = at + 1;
      }
      this.#lines = all.length;
    },
    advance: (ms) => {
      this.#room.advance(ms);
      if (ms < RESUME_MS) return;
      for (const who of this.#lost) {
        // A client without a line hears of no end.
        this.#ended.add(who);
        this.#socket(who).close(1006, "");
      }
      this.#lost.clear();
    },
    sleep: () => this.#room.sleep(),
    crash: () => this.#room.restore("crash"),
    restart: () => {
      this.#verbs.expect({});
      this.#inboxes.clear();
      this.#asks.clear();
      this.#sockets.clear();
      this.#room.restart();
    },
    swap: () => this.#room.swap(this.#versions.second),
    "swap-fails": (code) => {
      try {
        this.#room.swap(this.#versions.second);
      } catch (error) {
        if (!(error instanceof TurnFailed)) throw error;
        return same("event and code", ["$resume", code], [error.event, error.code]);
      }
      throw new Error("the swap did not fail");
    },
  };

  #connect(who: string, query: Record<string, unknown> = {}, headers: Record<string, string> = {}): TestSocket {
    const all = { user: who, client: who, ...query };
    const pairs = Object.entries(all).filter(([, value]) => value !== null);
    const text = (value: unknown) => encodeURIComponent(typeof value === "string" ? value : JSON.stringify(value));
    const search = pairs.map(([name, value]) => `&${text(name)}=${text(value)}`).join("");
    return this.#room.connect({ url: `${PATH}?room=${this.#case.name}${search}`, headers });
  }

  #socket(who: string): TestSocket {
    const socket = this.#sockets.get(who);
    if (socket === undefined) throw new Error(`there is no socket ${who}`);
    return socket;
  }

  /** Adds what a socket got to its inbox. */
  #collect(who: string): any[] {
    const inbox = this.#inboxes.get(who)!;
    const frames = this.#socket(who).received();
    this.#asks.get(who)!.push(...frames.flatMap(({ type, id }) => (type === "event" && id !== undefined ? [id] : [])));
    inbox.push(...frames);
    return inbox;
  }

  /** Takes the last frame of this kind out of a socket's inbox. */
  #take(who: string, isWanted: (frame: any) => boolean): any {
    const inbox = this.#collect(who);
    const at = inbox.findLastIndex(isWanted);
    return at < 0 ? undefined : inbox.splice(at, 1)[0];
  }

  /** What is in a socket's inbox, in words. */
  #left(who: string): string {
    return JSON.stringify(this.#inboxes.get(who));
  }
}
