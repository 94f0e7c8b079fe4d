/**
 * The contract's imports as componentize-qjs presents them: a `result` is its value, or a throw of an `Error` whose
 * `payload` is the result's error; an `option` is null where there is none. What the exports throw is the result's error itself. `parlor-guest test` puts functions of the same names and types in their place.
 */

declare module "parlor:room/types@0.1.0" {
  export type Payload = { tag: "json"; val: string } | { tag: "binary"; val: Uint8Array };
  export interface Meta {
    userId: string;
    clientId: string;
    channels: string[];
    fields: string;
  }
  export interface Request {
    uri: string;
    room: string;
    headers: [name: string, value: string][];
    remote: string;
  }
  export interface Rejection {
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
}

declare module "parlor:room/events@0.1.0" {
  export function on(event: string): void;
  export function off(event: string): void;
}

declare module "parlor:room/sockets@0.1.0" {
  import type { Meta } from "parlor:room/types@0.1.0";
  export function getMeta(socket: number): Meta;
  export function present(userId: string | null): number[] | Uint32Array;
  export function setFields(socket: number, fields: string): void;
  export function join(socket: number, channel: string): void;
  export function leave(socket: number, channel: string): void;
  export function close(socket: number, code: number, reason: string): void;
}

declare module "parlor:room/outbox@0.1.0" {
  import type { Payload } from "parlor:room/types@0.1.0";
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
}

declare module "parlor:room/inbox@0.1.0" {
  function count(): number;
  export { count as arguments };
  export function attachments(): Uint8Array[];
}

declare module "parlor:room/storage@0.1.0" {
  export interface Entry {
    key: string;
    value: Uint8Array;
  }
  export interface Page {
    entries: Entry[];
    next: string | null;
  }
  export function get(key: string): Uint8Array | null;
  export function getMany(keys: string[]): (Uint8Array | null)[];
  export function put(key: string, value: Uint8Array): void;
  export function putMany(entries: Entry[]): void;
  function remove(key: string): boolean;
  export { remove as delete };
  export function deleteMany(keys: string[]): number;
  export function scan(prefix: string, after: string | null, limit: number): Page;
}

declare module "parlor:room/timers@0.1.0" {
  import type { Payload } from "parlor:room/types@0.1.0";
  export function set(name: string, delayMs: number, data: Payload | null): void;
  export function cancel(name: string): boolean;
}

declare module "parlor:room/alarm@0.1.0" {
  export function set(at: number): void;
  export function get(): number | null;
  export function cancel(): void;
}

declare module "parlor:room/room@0.1.0" {
  export function id(): string;
  export function sessionCount(): number;
  export function userIds(): string[];
}

declare module "parlor:room/clock@0.1.0" {
  export function now(): number;
}

declare module "parlor:room/random@0.1.0" {
  export function getBytes(count: number): Uint8Array;
}

declare module "parlor:room/logging@0.1.0" {
  export type Level = "debug" | "info" | "warn" | "error";
  export function write(level: Level, message: string): void;
}

declare module "parlor:room/config@0.1.0" {
  export function get(key: string): string | null;
}
