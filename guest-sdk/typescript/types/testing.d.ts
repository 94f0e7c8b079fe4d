/**
 * Test a room with `parlor-guest test`: no server, and no component.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import test from "node:test";
 * import { TestRoom } from "@parlor/guest/testing";
 *
 * test("what one says all hear", () => {
 *   const room = new TestRoom();
 *   const ada = room.connectAs({ userId: "ada" });
 *   const bob = room.connect("/ws");
 *   ada.send("chat.message", { text: "hi" });
 *   assert.deepEqual(bob.events(), [{ type: "chat.message", text: "hi" }]);
 *   assert.equal(room.sessionCount, 2);
 * });
 * ```
 *
 * A `TestRoom` means what the server means: an event is a turn that commits or leaves no trace, emits are counted at the
 * call and arrive at the commit, `extractMeta` runs before `onConnect` in an instance of its own, a failed `onConnect`
 * undoes the membership, an error runs `onError` in a turn of its own. The server's bounds on emits, host calls, names,
 * attachments, asks, timers, storage and suspended states hold at their defaults.
 *
 * Each instance evaluates the module of the room anew, bundled as for the server, with globals of its own: `Date`,
 * `Math.random`, `Promise`, `console` and the others are those of a component, and what one instance leaves in a variable no
 * other one sees. So nothing here needs `await`: when a call returns, the room has handled it, its promises too.
 *
 * What it does not have are bounds on CPU time and memory. The language is node's, not QuickJS's: node 22 knows about as much.
 *
 * @packageDocumentation
 */

/// <reference path="./node-test.d.ts" />

import type { ConnectionMeta } from "./meta.js";
import type { TestSocket } from "./test-socket.js";

export type { SentFrame, TestSocket } from "./test-socket.js";

/**
 * What a {@link TestRoom} is made with. All of it may be left out.
 *
 * ```ts
 * const lobby = new TestRoom({ config: { motd: "be kind" }, roomId: "lobby", time: 1_000 });
 * lobby.connect("/ws?room=lobby");
 * ```
 */
export interface TestRoomOptions {
  /**
   * The module of the room, seen from the project's folder: `test/rooms/counter.ts`. Without it the project's own, as its
   * `package.json` says in `parlor.entry`; else `src/index.ts`.
   */
  entry?: string;
  /** The plugin's configuration, as an operator gives it. */
  config?: Readonly<Record<string, string>>;
  /** The room's id; `default` without it. */
  roomId?: string;
  /** The time in milliseconds since the Unix epoch; 14 November 2023, 22:13:20 UTC without it. It stands still until it is set. */
  time?: number;
}

/**
 * The request that a client connects with.
 *
 * ```ts
 * const eve = room.connect({ url: "/ws", headers: { authorization: "Bearer secret" }, remote: "10.0.0.1" });
 * ```
 */
export interface TestRequest {
  /** The address, `/ws?token=...`. */
  url: string;
  /** Headers, names in any case. */
  headers?: Readonly<Record<string, string>>;
  /** The client's network address; 127.0.0.1 without it. */
  remote?: string;
}

/** Whom {@link TestRoom.connectAs} connects: a meta, of which all but the user's id may be left out. */
export type TestMeta = Partial<ConnectionMeta> & Pick<ConnectionMeta, "userId">;

/** What a turn said in another room. */
export interface SaidElsewhere {
  /** The room's id, or `PLUGIN/ROOM`. */
  room: string;
  channel?: string;
  users?: string[];
  clients?: string[];
  event: string;
  data: unknown;
}

/** A turn that failed: {@link TestRoom.failures} has examples. */
export interface Failed {
  /** The event whose turn failed: its name, or a hook such as `$connect`. */
  event: string;
  /** The error's code, `error` for errors of other classes than `RoomError`; the limit's name if the turn exceeded one. */
  code: string;
  /** The error's message, with those of what caused it. */
  message: string;
}

/**
 * Thrown where a turn fails that the test waits for: {@link TestSocket.request}, {@link TestRoom.swap}.
 *
 * ```ts
 * assert.throws(() => ada.request("fail"), (error) => error instanceof TurnFailed && error.event === "fail");
 * ```
 */
export class TurnFailed extends Error {
  constructor(failed: Failed);
  /** The event whose turn failed: its name, or a hook such as `$connect`. */
  readonly event: string;
  /** The error's code, `error` for errors of other classes than `RoomError`; the limit's name if the turn exceeded one. */
  readonly code: string;
}

/**
 * Thrown where a connection is refused: {@link TestRoom.connect}.
 *
 * ```ts
 * assert.throws(() => room.connect("/ws?token=wrong"), new ConnectionRefused(403, "who are you?"));
 * ```
 */
export class ConnectionRefused extends Error {
  constructor(status: number, message: string);
  /** The HTTP status; the message is the response's body. */
  readonly status: number;
}

/** A timer that is set: {@link TestRoom.timers} has an example. */
export interface TestTimer {
  /** Its name. */
  name: string;
  /** When it runs, in milliseconds since the Unix epoch. */
  due: number;
  /** The data that its handlers get; `undefined` if it was set without data. */
  data: any;
}

/**
 * A room to test a plugin with.
 *
 * ```ts
 * const room = new TestRoom({ config: { motd: "be kind" }, roomId: "lobby", time: 1_000 });
 * ```
 */
export class TestRoom {
  /** Starts the plugin. Throws where it refuses to start, with its words. */
  constructor(options?: TestRoomOptions);

  /**
   * Connects as a browser does: `extractMeta`, then `onConnect`. Throws {@link ConnectionRefused} where the connection is
   * refused, with 404 where the path is not the plugin's.
   *
   * ```ts
   * const ada = room.connect("/ws?token=secret");
   * assert.equal(ada.meta.userId, "secret");
   * assert.throws(() => room.connect("/ws?token=wrong"), { status: 403 });
   * ```
   */
  connect(request: string | TestRequest): TestSocket;

  /**
   * Connects as somebody, past `extractMeta`. Throws where the server would not take the meta: an id or a channel that is
   * empty or over 128 bytes, over 64 channels, over 4 KiB of own fields.
   *
   * ```ts
   * const ada = room.connectAs({ userId: "ada", channels: ["news"], role: "admin" });
   * assert.deepEqual([ada.meta.channels, ada.meta.role], [["news"], "admin"]);
   * ```
   */
  connectAs(meta: TestMeta): TestSocket;

  /**
   * Gives the room a new instance, as after a crash: what variables held is gone, sockets and storage stay, and `onRestore`
   * runs with this reason (`crash`, `wake`, `swap`, `restart`).
   *
   * ```ts
   * ada.send("count");
   * room.restore("crash");
   * ada.send("count");
   * assert.equal(ada.events()[1].count, 1);
   * ```
   */
  restore(reason: string): void;

  /**
   * Runs `onCheck`, as `parlor simulate` does after each of its steps. Throws {@link TurnFailed} where that throws;
   * {@link failures} has it as well. It wakes no room that sleeps.
   *
   * ```ts
   * ada.send("count");
   * room.check();
   * ```
   */
  check(): void;

  /**
   * Lets the room fall asleep, as a server does with one that is quiet: `onSuspend` runs, and the instance goes with its
   * variables. Sockets, storage, timers, asks and the alarm stay. Whatever the plugin asked for wakes the room: an event, a new
   * socket or the end of one, a timer, the alarm. A bare ping does so only where `ping` has a handler. Then a new instance is
   * made, and given the state in `onResume`; where there is none, or where that fails, it is `onRestore` with the reason
   * `wake`. A room that sleeps already sleeps on.
   *
   * ```ts
   * room.sleep();
   * assert.ok(room.isAsleep());
   * ada.send("count");
   * assert.ok(!room.isAsleep());
   * ```
   */
  sleep(): void;

  /**
   * Whether the room sleeps: it has no instance.
   *
   * ```ts
   * assert.equal(room.isAsleep(), false);
   * ```
   */
  isAsleep(): boolean;

  /**
   * The state that the last instance left and that no instance was given yet: between {@link sleep} and what wakes the room.
   *
   * ```ts
   * room.sleep();
   * assert.deepEqual(room.suspended(), { schema: "count/1", state: 0 });
   * ```
   */
  suspended(): { schema: string; state: any } | undefined;

  /**
   * Puts another version of the plugin under the room, as a server does where the plugin's file is replaced: between two
   * turns, with sockets, storage, timers and the alarm as they are. `onSuspend` of the old version runs, then `onResume` of
   * the new one; where there is no state, or no `onResume`, it is `onRestore` with the reason `swap`. A room that sleeps
   * wakes with this. `entry` is as in {@link TestRoomOptions}: without it the project's own module.
   *
   * Where `onResume` fails the swap is undone: the old version is started anew and given its state back. That failure is
   * thrown as {@link TurnFailed}, and {@link failures} has it as well. A version that refuses to start changes nothing at all:
   * the error's event is `init` then.
   *
   * ```ts
   * room.swap("test/version2.ts");
   * assert.throws(() => room.swap("test/version3.ts"), { event: "$resume", code: "resume.schema" });
   * ```
   */
  swap(entry?: string): void;

  /**
   * Restarts the server, as after a crash of it: sockets are lost without `onDisconnect` (1006), timers and asks are gone, and so is
   * what variables held. Storage and the alarm stay, the alarm with its attempts counted anew. Where there is any of these,
   * `onRestore` runs with the reason `restart`.
   *
   * ```ts
   * room.restart();
   * assert.equal(room.sessionCount, 0);
   * assert.deepEqual(ada.closed(), { code: 1006, reason: "" });
   * ```
   */
  restart(): void;

  /**
   * Lets so many milliseconds pass. All timers that run down meanwhile run, the asks whose time is over end with `timeout`, and
   * the alarm runs where it is due, each at its own time and in the order of these, with what they set themselves. At the same
   * moment timers run in the order in which they were set, then asks end, then the alarm runs. An alarm whose turn fails is tried again after 1 s, 2 s, 4 s and so on, up to 5 minutes.
   * `advance(0)` runs what is due now. Throws where 1,000 turns follow each other without time passing.
   *
   * ```ts
   * ada.send("tick");
   * room.advance(2_500);
   * assert.deepEqual(ada.events(), [{ type: "tick", number: 1 }, { type: "tick", number: 2 }]);
   * ```
   */
  advance(ms: number): void;

  /**
   * The clock, in milliseconds since the Unix epoch. It stands still in between. Setting it runs no timer, nor the alarm:
   * that is for {@link advance}, which also runs what is overdue.
   *
   * ```ts
   * room.time = 5;
   * assert.equal(ada.request("now"), 5);
   * ```
   */
  time: number;

  /**
   * The timers that are set, as last committed, in the order in which they will run.
   *
   * ```ts
   * ada.send("tick");
   * assert.deepEqual(room.timers(), [{ name: "tick", due: room.time + 1_000, data: 1 }]);
   * ```
   */
  timers(): TestTimer[];

  /**
   * When the alarm is due, as last committed, in milliseconds since the Unix epoch; `undefined` where none is set. One whose
   * turn failed is still set, for the time when it was to run.
   *
   * ```ts
   * ada.send("wake.me");
   * assert.equal(room.alarm(), room.time + 60_000);
   * ```
   */
  alarm(): number | undefined;

  /**
   * The JSON value of a key in the room's storage, as last committed; `undefined` where there is none. Throws where the bytes
   * are not JSON.
   *
   * ```ts
   * ada.send("score", 3);
   * assert.deepEqual(room.stored("scores"), { ada: 3 });
   * ```
   */
  stored<T = any>(key: string): T | undefined;

  /**
   * The bytes of a key in the room's storage, as last committed; `undefined` where there is none. For what is not JSON.
   *
   * ```ts
   * ada.send("image", [255, 0]);
   * assert.deepEqual(room.storedBytes("image"), Uint8Array.of(255, 0));
   * ```
   */
  storedBytes(key: string): Uint8Array | undefined;

  /**
   * The keys of the room's storage, as last committed, in ascending order of their bytes.
   *
   * ```ts
   * assert.deepEqual(room.storedKeys, []);
   * ```
   */
  readonly storedKeys: string[];

  /**
   * The lines of the log so far: `info: the game begins`. An error that a handler threw is there with its place in the
   * author's files.
   *
   * ```ts
   * ada.send("fail");
   * assert.match(room.log()[0]!, /^error: Error: the cat ate it\n    at .*src\/index\.ts:\d+/);
   * ```
   */
  log(): string[];

  /**
   * The turns that failed so far, except those whose failure went to the sender (`reject`).
   *
   * ```ts
   * ada.send("fail");
   * assert.deepEqual(room.failures(), [{ event: "fail", code: "error", message: "the cat ate it" }]);
   * ```
   */
  failures(): Failed[];

  /**
   * What turns said in other rooms since the last call: a test has one room.
   *
   * ```ts
   * ada.send("tell", "lobby");
   * assert.deepEqual(room.elsewhere(), [{ room: "lobby", channel: "default", event: "told", data: {} }]);
   * ```
   */
  elsewhere(): SaidElsewhere[];

  /**
   * How many sockets are connected.
   *
   * ```ts
   * bob.close();
   * assert.equal(room.sessionCount, 1);
   * ```
   */
  readonly sessionCount: number;

  /**
   * The ids of the users that are connected, each once, in ascending order.
   *
   * ```ts
   * room.connectAs({ userId: "ada" });
   * assert.deepEqual(room.userIds, ["ada", "bob"]);
   * ```
   */
  readonly userIds: string[];

  /**
   * What the plugin asked the server for: event names, `*`, and hooks such as `$connect`; in ascending order.
   *
   * ```ts
   * assert.ok(room.registered.includes("chat.message"));
   * ```
   */
  readonly registered: string[];
}
