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
  export type Level = "debug" | "info" | "warn" | "error";

  // `events`
  export function eventsOn(event: string): void;
  export function eventsOff(event: string): void;

  // `sockets`
  export function getMeta(socket: number): ContractMeta;
  export function present(userId: string | null): number[];
  export function setFields(socket: number, fields: string): void;
  export function join(socket: number, channel: string): void;
  export function leave(socket: number, channel: string): void;
  export function close(socket: number, code: number, reason: string): void;

  // `outbox`
  export function toSocket(socket: number, event: string, data: Payload): number;
  export function toNamed(target: string, event: string, data: Payload): number;
  export function toChannel(channel: string, event: string, data: Payload): number;
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
  export function toUser(userId: string, event: string, data: Payload): number;
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

  // `room`, `clock`, `random`, `logging` and `config`
  export function roomId(): string;
  export function sessionCount(): number;
  export function userIds(): string[];
  export function clockNow(): number;
  export function randomBytes(count: number): Uint8Array;
  export function logWrite(level: Level, message: string): void;
  export function configGet(key: string): string | null;

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
