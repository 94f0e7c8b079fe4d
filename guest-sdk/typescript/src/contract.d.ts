/**
 * What the engine has for the SDK: the contract's imports, each a function that throws an error whose `payload` is the refusal
 * where the host refuses, and the engine's own jobs.
 */

declare module "parlor:engine" {
  export type Payload = { tag: "json"; val: string } | { tag: "binary"; val: Uint8Array };
  export interface ContractMeta {
    userId: string;
    clientId: string;
    channels: string[];
    fields: string;
  }
  export interface ContractRequest {
    uri: string;
    room: string;
    headers: [name: string, value: string][];
    remote: string;
  }
  export interface ContractRejection {
    status: number;
    message: string;
  }
  export interface Definition {
    name: string;
    path: string;
  }
  export interface Event {
    cause: string;
    name: string;
    channel: string | null;
    payload: Payload | null;
    socket: number | null;
    answerWanted: boolean;
    acceptedAt: number;
  }
  export type Refusal =
    | { tag: "limit-exceeded"; val: string }
    | { tag: "no-such-socket" }
    | { tag: "no-turn" }
    | { tag: "invalid"; val: string }
    | { tag: "other"; val: string };
  export interface Failure {
    code: string;
    message: string;
    forSender: boolean;
  }
  export interface Entry {
    key: string;
    value: Uint8Array;
  }
  /** A part of a listing. */
  export interface Entries {
    entries: Entry[];
    next: string | null;
  }
  /** Something that was said to a channel. */
  export interface ContractSaid {
    position: string;
    event: string;
    data: Payload;
    at: number;
  }
  /** A part of a channel's history. */
  export interface ContractHistory {
    entries: ContractSaid[];
    recovered: boolean;
  }
  export type Level = "debug" | "info" | "warn" | "error";

  // `events`
  export function eventsOn(event: string): void;
  export function eventsOff(event: string): void;

  // `sockets`
  export function getMeta(socket: number): ContractMeta;
  export function present(userId: string | null): number[];
  export function ofChannel(channel: string, after: number | null, limit: number): number[];
  export function setFields(socket: number, fields: string): void;
  export function join(socket: number, channel: string): void;
  export function leave(socket: number, channel: string): void;
  export function close(socket: number, code: number, reason: string): void;

  // `outbox`
  export function toChannelExcept(channel: string, excluded: string[], event: string, data: Payload): number;
  export function toChannelSome(
    channel: string,
    users: string[] | null,
    clients: string[] | null,
    excluded: string[],
    event: string,
    data: Payload,
  ): number;
  export function toRoom(
    room: string,
    channel: string | null,
    users: string[] | null,
    clients: string[] | null,
    event: string,
    data: Payload,
  ): void;
  export function toClients(clientIds: string[], event: string, data: Payload): number;
  export function attach(bytes: Uint8Array): number;
  export function spread(): void;
  export function ask(socket: number, event: string, data: Payload, name: string, timeoutMs: number): void;

  // `inbox`
  export function argumentCount(): number;
  export function attachments(): Uint8Array[];

  // `storage`
  export function storageGet(key: string): Uint8Array | null;
  export function storageGetMany(keys: string[]): (Uint8Array | null)[];
  export function storagePut(key: string, value: Uint8Array): void;
  export function storagePutMany(entries: Entry[]): void;
  export function storageDelete(key: string): boolean;
  export function storageDeleteMany(keys: string[]): number;
  export function storageScan(prefix: string, after: string | null, limit: number): Entries;

  // `timers` and `alarm`
  export function timerSet(name: string, delayMs: number, data: Payload | null): void;
  export function timerCancel(name: string): boolean;
  export function alarmSet(at: number): void;
  export function alarmGet(): number | null;
  export function alarmCancel(): void;

  // `history`
  export function historyKeep(channel: string, entries: number, ttlMs: number, durable: boolean): void;
  export function historyRead(channel: string, after: string | null, limit: number): ContractHistory;
  export function historyPosition(channel: string): string;

  // `room`, `clock`, `random`, `logging` and `config`
  export function roomId(): string;
  export function sessionCount(): number;
  export function userIds(): string[];
  export function randomBytes(count: number): Uint8Array;
  export function logWrite(level: Level, message: string): void;
  export function configGet(key: string): string | null;

  // A turn: the engine finds the handlers and runs them.
  /** What handlers are given. */
  export interface Context {
    readonly emit: SocketTarget;
    readonly wantsAnswer: boolean;
  }
  /** What a handler returns that answers an event. */
  export interface Answer {
    readonly values: readonly unknown[];
  }
  export function answer(...values: unknown[]): Answer;
  /** The prototype of all contexts, for the members that the SDK adds. */
  export function contextPrototype(): object;
  export function eventCause(ctx: Context): string;
  export function eventName(ctx: Context): string;
  export function eventChannel(ctx: Context): string | null;
  export function eventSocket(ctx: Context): number | null;
  export function eventHasData(ctx: Context): boolean;
  /** The event's data, the same for all handlers; an empty object where none came. */
  export function eventData(ctx: Context): unknown;
  /** What an event was answered with; from now on nothing answers it. */
  export function takeAnswer(ctx: Context): readonly unknown[] | undefined;
  /** Says that the turn has something to be ended with the SDK's `endTurn`. */
  export function needEnd(): void;
  /** Puts a list in the place of the handlers of a name, in a table: 0 is that of events, 1 of timers, 2 of asks. */
  export function setHandlers(table: number, name: string, list: readonly unknown[] | undefined): void;
  /** Tells what the engine calls of the SDK. */
  export function setHooks(hooks: Record<string, unknown>): void;
  /** Whether there is a host to ask, as there is from `init` on. */
  export function hasHost(): boolean;
  /** What `init` answers. */
  export function setDefinition(name: string, path: string, hasBegin: boolean): void;
  /** Whole milliseconds since the Unix epoch. */
  export function now(): number;

  // Whom an emit is for.
  export interface Target {
    emit(event: string, ...data: unknown[]): number;
  }
  export interface SocketTarget extends Target {
    to(channelOrUserId: string): Target;
  }
  export interface ChannelTarget extends Target {}
  export interface RoomTarget extends Target {
    to(channel: string): ChannelTarget;
    toUser(userId: string): Target;
  }
  export function socketTarget(socket: number): SocketTarget;
  /** The room's, whose own emits go to this channel. */
  export function roomTarget(channel: string): RoomTarget;
  export function channelName(target: ChannelTarget): string;
  export function channelPrototype(): object;
  /** Says whether handlers wrote channels that the host was not told of. */
  export function noteUnsaid(hasUnsaid: boolean): void;

  // The storage's `get` and `put`, for one key without a transaction.
  export function storedGet(key: unknown): Promise<any>;
  export function storedPut(key: unknown, value?: unknown): Promise<void>;

  // The engine's own.
  /** Runs jobs until none is left; throws what the first microtask threw that threw anything. */
  export function drain(): void;
  /** What a promise came to: its value, alone in a list, or none while it waits. A rejection is thrown. */
  export function outcome(promise: Promise<unknown>): [unknown] | undefined;
  /** Whether no job waits, and no rejection is unhandled. */
  export function isIdle(): boolean;
  /** Why promises were rejected that nobody handled; they are forgotten. */
  export function takeUnhandled(): unknown[];
  /** The first frames of a stack that are the author's, each as `name (file:line)`. */
  export function frames(stack: string): string[];
  /** Text as UTF-8. Half of a surrogate pair becomes U+FFFD. */
  export function toUtf8(text: string): Uint8Array;
  /** UTF-8 as text. Throws where it is none. */
  export function fromUtf8(bytes: Uint8Array): string;
}
