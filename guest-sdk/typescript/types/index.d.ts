/**
 * Realtime rooms for Parlor, in TypeScript.
 *
 * A room is a module that says what happens on which event. `parlor build` makes a component of it, which a Parlor server
 * loads from its folder of plugins.
 *
 * ```ts
 * import { defineRoom, reject } from "@parlor/guest";
 *
 * const room = defineRoom({
 *   name: "chat",
 *   websocketPath: "/ws",
 *   onConnect(ctx) {
 *     ctx.emit.emit("welcome", { userId: ctx.meta.userId });
 *   },
 * });
 *
 * room.on("chat.message", (ctx, data: { text: string }) => {
 *   if (!data.text.trim()) reject("chat.empty", "say something first");
 *   ctx.actor.emit.emit("chat.message", { from: ctx.meta.userId, text: data.text });
 * });
 * ```
 *
 * # Turns
 * One event is one turn, and a turn is atomic: if a handler throws, leaves a rejection unhandled or runs too long, none of its emits, writes,
 * joins, leaves, closes, timers and alarms happen. Emits leave when the turn commits, in call order.
 *
 * # What lasts
 * The instance may go at any time: in a crash, for a new version, or because the room was quiet.
 *
 * | what | survives the instance | a restart or crash of the server |
 * |---|---|---|
 * | `actor.getStorage()` and `actor.alarm` | yes | yes |
 * | `actor.timers` | yes | no |
 * | sockets, their channels and fields | yes | no |
 * | what `room.onSuspend` returns | where the room sleeps or is swapped; not where it crashes | no |
 * | variables of the module | no | no |
 *
 * Variables are a cache: they are not rolled back with a failed turn either. Rebuild them in `onRestore`.
 *
 * The top level of a module runs once, when the plugin is built: there is no time, no randomness, no configuration
 * and no room there, and a call of one of them fails the build.
 *
 * @packageDocumentation
 */

/// <reference path="./globals.d.ts" />
/// <reference path="./worker.d.ts" />
/// <reference path="./web.d.ts" />

import type { RoomEventEmitter } from "./actors.js";
import type { Actor, ErrorContext, HookContext, MessageContext, MessageFrame, RoomContext } from "./context.js";
import type { Keeping } from "./history.js";
import type { ConnectionMeta, NewMeta } from "./meta.js";
import type { Log } from "./state.js";

export * from "./actors.js";
export type * from "./context.js";
export type * from "./durable.js";
export type * from "./history.js";
export type * from "./meta.js";
export type * from "./state.js";

/** A value, or a promise of it. */
export type Awaitable<T> = T | PromiseLike<T>;

/**
 * A handler of an event. `data` is what the client sent, or `{}` if it sent no data. Bytes come as `Uint8Array`, wherever in
 * the data they are. The arguments of a client that sent several come as one array, `(ctx, [x, y]: [number, number]) => ...`:
 * how many there are is the client's choice, so that they do not move `ack` to another place. `ctx.args` tells them apart.
 *
 * The host awaits a promise that it returns, and sends what `answer` makes. It ignores other return values.
 */
export type EventHandler<M extends ConnectionMeta = ConnectionMeta, E = unknown> = (
  ctx: MessageContext<M, E>,
  data: any,
  ack: Ack,
) => unknown;

/**
 * Answers the client's acknowledgement, as `return answer(...)` does. It leaves when the turn has committed, behind its emits:
 * whoever gets it knows that what the handler stored is safe. The first answer of an event counts, in whichever way it was
 * given. Where the client waits for none, nothing happens. Throws `no-turn` once the turn is over.
 */
export type Ack = (...values: unknown[]) => void;

/** What came of an ask. */
export type ClientAnswer<T = any> =
  /** The client answered. Without a value there is no `data`; several are one array. */
  | { readonly outcome: "answered"; readonly data?: T }
  /** Nobody answered in time, or the socket left before that. */
  | { readonly outcome: "timeout" | "gone"; readonly data?: undefined };

/** How a socket ended. */
export interface Disconnect {
  /** The WebSocket close code: 1000 normal, 1001 going away, 1005 no code, 1006 connection lost, 1008 policy, ... */
  readonly code: number;
  /** The reason, up to 123 bytes; often empty. */
  readonly reason: string;
}

/** A turn that failed. */
export interface FailedTurn extends Error {
  /** The event whose turn failed. */
  readonly event: string;
  /** The error's code. If the host ended the turn, it is `trap`, `deadline` or another word of the host. */
  readonly code: string;
}

/** Why the plugin's memory is new and empty. */
export interface Restore {
  /**
   * `crash`: the instance trapped, ran too long, or a disk failed; `restart` of the server: no sockets and no timers,
   * only storage and the alarm; `wake`: the room slept; `swap`: this is another version. More reasons may come: treat
   * one that you do not know as `crash`.
   */
  readonly reason: string;
}

/** Why the host is about to drop this instance. */
export interface Suspend {
  /** `sleep`: the room is quiet, and this version goes on when it wakes. `swap`: another version takes over. */
  readonly reason: string;
}

/** The alarm that rings. */
export interface DueAlarm {
  /** When it was due, in milliseconds since the Unix epoch. */
  readonly due: number;
  /** Which attempt this is, from 1, since the server started. */
  readonly attempt: number;
}

/** A state that no `room.onResume` took. */
export interface Suspended {
  /** The schema that `room.onSuspend` gave it. Empty if something else wrote the state. */
  readonly schema: string;
  /** The state. */
  readonly state: any;
}

/** The request for a connection. */
export interface ConnectRequest extends Request {
  /** The room that the address names: `default` unless the query has `room`. */
  readonly room: string;
  /** The client's network address, without its port. */
  readonly remote: string;
  /**
   * What a client of Socket.IO sent as `auth`: an object; `undefined` of other clients. The host takes it from the client's own
   * packet: no client can send it as a header.
   */
  readonly auth?: any;
}

/** What a room is. Every field may be left out. */
export interface RoomDefinition<M extends ConnectionMeta = ConnectionMeta, E = unknown> {
  /** For display; the plugin's identity is its file name, which is the default. */
  name?: string;
  /**
   * The websocket path that the plugin serves, `/ws` by default: 1 to 128 bytes of `/A-Za-z0-9._~-`, beginning with
   * `/`, without `..`, not below `/t/`, and not `/_parlor`, `/socket.io` or below them.
   */
  websocketPath?: string;
  /**
   * Decides who may connect, and as whom. It runs before the connection is accepted, in an instance that belongs to no
   * room and is gone afterwards: time, randomness, configuration and the log answer, everything else throws `no-turn`.
   *
   * `null` or `undefined` leaves it to the host, as does a room without this: a random user id and client id, channel
   * `default`. A {@link Rejection} that is thrown is the answer to the client; any other error becomes a 401
   * without words, and goes to the log.
   */
  extractMeta?(req: ConnectRequest): Awaitable<NewMeta<M> | null | undefined>;
  /**
   * When an instance begins, before its first event: the place for what depends on the configuration, such as `room.on`,
   * `room.keepHistory` and `room.presence`. It is no turn: storage, sockets and emits throw `no-turn`. It cannot be `async`.
   */
  onStart?(): void;
  /** For each new socket, before its first event. An error refuses the socket: it is closed with 1011, and `onDisconnect` does not run for it. */
  onConnect?(ctx: RoomContext<M, E>): unknown;
  /**
   * Once for each socket that ends, however it ended. It is out of all counts and channels by then; its meta can still be
   * read, and emits to it reach 0 sockets.
   */
  onDisconnect?(ctx: RoomContext<M, E>, end: Disconnect): unknown;
  /** Runs for every event of clients that has no handler, neither its own nor `"*"`. */
  onMessage?(ctx: MessageContext<M, E>, frame: MessageFrame, ack: Ack): unknown;
  /**
   * When a turn failed with an error that is not for its sender, or was ended by the host; in a turn of its own, after the
   * failed one was undone. It does not run for a failure of its own.
   */
  onError?(error: FailedTurn, ctx: ErrorContext<M, E>): unknown;
  /**
   * When a room that was there before has a new instance, and with it new memory: the place to rebuild variables from
   * storage and `actor.getConnectedUserIds()`. Where the last instance left a state, `room.onResume` runs instead, if there
   * is one.
   */
  onRestore?(ctx: HookContext<M, E>, restore: Restore): unknown;
  /**
   * When a room with somebody in it has a new instance, as after sleep: `onRestore` by Verani's name, behind it where there are
   * both. `actor.sessions` has who is connected, with their metas.
   */
  onHibernationRestore?(actor: Actor<M, E>): unknown;
  /**
   * After each step of `parlor simulate`, and never in a server: throw where something does not hold that must hold between any two
   * turns. It should look and change nothing.
   */
  onCheck?(ctx: HookContext<M, E>): unknown;
  /** What handlers are registered on and called by, in place of the room's own. */
  eventEmitter?: RoomEventEmitter<M, E>;
  /**
   * Runs when the room's alarm is due. The alarm is cleared when this turn commits, unless the turn sets it again. If the turn
   * fails, the alarm rings again after 1 s, then after twice as long each time, up to 5 minutes. It rings at least once, and
   * after a crash perhaps twice.
   */
  onAlarm?(ctx: HookContext<M, E>, alarm: DueAlarm): unknown;
  /** When the first socket of a user has come into the room, in a turn of its own behind `onConnect`. */
  onUserJoin?(ctx: RoomContext<M, E>, userId: string): unknown;
  /**
   * When the last socket of a user has left the room, in a turn of its own behind `onDisconnect`. A socket that only lost its line
   * has not left before it can come back no more.
   */
  onUserLeave?(ctx: RoomContext<M, E>, userId: string): unknown;
  /**
   * When the line of a socket broke that can come back: it is a member as ever, and what is emitted to it waits. Either `onBack` or
   * `onDisconnect` follows.
   */
  onLost?(ctx: RoomContext<M, E>): unknown;
  /** When a socket is back whose line broke. */
  onBack?(ctx: RoomContext<M, E>): unknown;
}

/** A room: what handlers are registered on. Registrations are no effects: they stay when a turn is undone, and go with the instance. */
export interface Room<M extends ConnectionMeta = ConnectionMeta, E = unknown> extends RoomDefinition<M, E> {
  /** What handlers are registered on: the room itself, unless the definition has one. */
  readonly eventEmitter: RoomEventEmitter<M, E>;
  /**
   * Calls the handlers of an event, and those of `"*"`, from a handler: nothing is sent. The first error is that of the promise.
   */
  emit(event: string, ctx: MessageContext<M, E>, data?: any): Promise<void>;
  /**
   * Calls `handler` with every event of this name that a client sends (1 to 128 bytes; up to 256 events may have handlers).
   * Handlers run in the order of registration, one after another, each awaited; then those of `"*"`, which are for
   * every event of clients but the bare keepalive `{"type":"ping"}`.
   */
  on(event: string, handler: EventHandler<M, E>): void;
  /** Removes one handler, or all handlers of an event; says whether there were any. The event that is running keeps the handlers it began with. */
  off(event: string, handler?: EventHandler<M, E>): boolean;
  /** Calls `handler` when the timer of this name rings, with the data that it was set with (`{}` for no data). */
  onTimer(name: string, handler: (ctx: HookContext<M, E>, data: any) => unknown): void;
  /** Removes one handler of a timer, or all of them; says whether there were any. */
  offTimer(name: string, handler?: (ctx: HookContext<M, E>, data: any) => unknown): boolean;
  /**
   * Calls `handler` with what came of an ask of this name, once for each ask. A socket that is gone is out of all counts and
   * channels; its meta can still be read, and `onDisconnect` runs behind this.
   */
  onAck<T = any>(name: string, handler: (ctx: RoomContext<M, E>, answer: ClientAnswer<T>) => unknown): void;
  /** Removes one handler of an ask's answers, or all of them; says whether there were any. */
  offAck(name: string, handler?: (ctx: RoomContext<M, E>, answer: ClientAnswer) => unknown): boolean;
  /**
   * Lets the host keep what is said to a channel, for clients that come back (`?since=`) and for {@link Actor.history}. At the top
   * level of the module or in `onStart`, for up to 16 channels.
   */
  keepHistory(channel: string, keeping?: Keeping): void;
  /**
   * Tells the sockets of a channel who is in it, once a turn is over that changed that. A newcomer gets `presence.state`,
   * `{channel, users: [{userId, clients}]}`, itself among them, in ascending order; of more users than fit into 128 KiB, `more` says
   * how many are left out. The others get `presence.join` with the first socket of a user, and `presence.leave` with the last:
   * `{channel, userId}`. None of this is in the channel's history. At the top level of the module, or in `onStart`.
   */
  presence(channel: string): void;
  /**
   * Calls `save` before this instance goes, and gives what it returns to the next one: to the `onResume` of the same
   * schema. It runs when the room falls asleep and when it is swapped to a new version; a crash leaves no time for it.
   *
   * `schema` says what the state is, with a number that you raise whenever its shape changes: `board/2`; 1 to 128 bytes.
   * The state is written as JSON, up to 256 KiB with its schema. It lives in the server's memory, and is given once: what
   * must not be lost is for the storage. A room has one state: the last `save` given counts, and `room.off("$suspend")` leaves
   * none.
   */
  onSuspend(schema: string, save: (ctx: HookContext<M, E>, suspend: Suspend) => unknown): void;
  /**
   * Calls `handler` in a new instance with the state that the last one left under this schema, before any other event.
   * Give one for each schema that you still take; of one schema the last handler counts. A state that no handler takes goes to
   * `onResumeAny`; without that the turn fails with `resume.schema`. A swap in which this turn fails is undone.
   */
  onResume(schema: string, handler: (ctx: HookContext<M, E>, state: any) => unknown): void;
  /** Calls `handler` with a state that no `onResume` takes. The last one given counts. */
  onResumeAny(handler: (ctx: HookContext<M, E>, found: Suspended) => unknown): void;
}

/** Makes a room of this plugin. A plugin has one; nothing needs to be exported. */
export function defineRoom<M extends ConnectionMeta = ConnectionMeta, E = unknown>(definition?: RoomDefinition<M, E>): Room<M, E>;

/**
 * Throws an error that is meant for the client who sent the event: it gets the event `error` with `code` (up to 128 bytes)
 * and `message` (up to 1 KiB) after the turn was undone. `onError` does not run for it. `throw reject(...)` reads well too.
 */
export function reject(code: string, message: string): never;

/**
 * Answers the client's acknowledgement: `return answer(value)`. Clients that wait for none never see it; if the turn fails,
 * those that do are told so instead. Where several handlers of one event answer, the first answer counts. Several values are
 * several arguments for a client whose protocol has them, and an array for others; bytes are as in {@link EmitTarget.emit}.
 */
export function answer(...values: unknown[]): Answer;

/** What {@link answer} makes. */
export interface Answer {
  readonly values: readonly unknown[];
}

/**
 * An error with a code for programs. What the host refuses is one, with the code `limit-exceeded`, `no-such-socket`,
 * `no-turn` or `invalid`. Clients do not see it: it goes to the log and to `onError`. {@link reject} makes the other kind.
 */
export class RoomError extends Error {
  constructor(code: string, message: string, options?: { cause?: unknown });
  /** Up to 128 bytes; `error` is the code of errors of other classes. */
  readonly code: string;
}

/** Thrown in `extractMeta`: why a connection is refused. */
export class Rejection extends Error {
  /** `status` is the HTTP status, 400 to 599 (another becomes 500), `message` the plain-text body of the response. */
  constructor(status: number, message?: string);
  readonly status: number;
}

/** The value of a key of the plugin's configuration, for code without a `ctx`; see {@link Actor.config}. */
export function config(key: string): string | undefined;

/** The plugin's log, for code without a `ctx`; see {@link Actor.log}. */
export const log: Log;
