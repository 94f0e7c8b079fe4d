/**
 * The bounds that a test room enforces: those of the server's defaults which a handler can run into, by the names that the
 * server has for them.
 */

import type { ContractMeta, Payload, Refusal } from "../host.js";

export const ASK_MS = 3_600_000;
export const ASKS_PER_ROOM = 1_024;
export const ASKS_PER_SOCKET = 64;
export const ATTACHMENTS_PER_EVENT = 16;
export const CHANNELS_PER_SOCKET = 64;
export const CLOSE_REASON_BYTES = 123;
export const DELIVERIES_PER_TURN = 20_000;
export const EMIT_BYTES = 256 << 10;
export const EMIT_BYTES_PER_TURN = 512 << 10;
export const EMITS_PER_TURN = 1_000;
export const FRAME_BYTES = 64 << 10;
export const HISTORY_ANSWER_BYTES = 256 << 10;
export const HISTORY_BYTES = 1 << 20;
export const HISTORY_CHANNELS = 16;
export const HISTORY_ENTRIES = 1_000;
export const HISTORY_TTL_MS = 2_592_000_000;
export const HOST_CALLS_PER_TURN = 10_000;
export const JSON_DEPTH = 128;
export const META_FIELDS_BYTES = 4 << 10;
export const NAME_BYTES = 128;
export const RANDOM_BYTES = 4_096;
export const REGISTRATIONS = 256;
export const SCAN_BYTES = 256 << 10;
export const SCAN_ENTRIES = 1_000;
export const SOCKETS_PER_PAGE = 1_000;
export const STORAGE_BYTES_PER_CALL = 1 << 20;
export const STORAGE_BYTES_PER_TURN = 4 << 20;
export const STORAGE_KEY_BYTES = 512;
export const STORAGE_KEYS_PER_CALL = 128;
export const STORAGE_ROOM_BYTES = 16 << 20;
export const STORAGE_VALUE_BYTES = 128 << 10;
export const SUSPEND_BYTES = 256 << 10;
export const TIMER_BYTES = 4 << 10;
export const TIMERS_PER_ROOM = 64;

/** A call that the host refuses: thrown by the host's functions here, in the form in which a component is given it. */
export class Refused extends Error {
  constructor(readonly payload: Refusal) {
    super("val" in payload ? `${payload.tag}: ${payload.val}` : payload.tag);
  }

  get words(): string {
    return "val" in this.payload ? this.payload.val : this.payload.tag;
  }
}

/** A refusal of this call alone. */
export function exceeded(bound: string): Refused {
  return new Refused({ tag: "limit-exceeded", val: bound });
}

export function invalid(why: string): Refused {
  return new Refused({ tag: "invalid", val: why });
}

export const noTurn = (): Refused => new Refused({ tag: "no-turn" });
export const noSuchSocket = (): Refused => new Refused({ tag: "no-such-socket" });

/** How many bytes of UTF-8 a text is. */
export function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}

/** The order of the bytes of texts, which is the host's. That of JavaScript differs beyond U+FFFF. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** What a payload takes. */
export function payloadBytes(payload: Payload | null): number {
  if (payload === null) return 0;
  return payload.tag === "json" ? bytesOf(payload.val) : payload.val.length;
}

/** What bytes take together. */
export function totalBytes(attachments: readonly Uint8Array[]): number {
  return attachments.reduce((sum, bytes) => sum + bytes.length, 0);
}

/** Event and channel names, user and client ids. */
export function checkName(what: string, name: string): void {
  const bytes = bytesOf(name);
  if (bytes < 1 || bytes > NAME_BYTES) throw invalid(`${what} must be 1 to ${NAME_BYTES} bytes, not ${bytes}`);
}

/** A text that is one JSON value, which is given back. */
export function checkJson(text: string): unknown {
  if (isDeeperThan(text, JSON_DEPTH)) throw invalid(`JSON nested deeper than ${JSON_DEPTH} levels`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`not one JSON value: ${(error as Error).message}`);
  }
}

/** Whether brackets nest deeper than `max`, those in strings not counted. */
export function isDeeperThan(text: string, max: number): boolean {
  let depth = 0;
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[{\]}]/gs)) {
    if (token === "[" || token === "{") depth += 1;
    else if (token === "]" || token === "}") depth -= 1;
    if (depth > max) return true;
  }
  return false;
}

/** A plugin's own fields: one JSON object. */
export function checkFields(fields: string): void {
  if (bytesOf(fields) > META_FIELDS_BYTES) throw exceeded("meta-fields-bytes");
  const value = checkJson(fields);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid("fields must be a JSON object");
}

/** What the host checks of a meta, and the channel that every socket has. */
export function checkedMeta({ userId, clientId, channels, fields }: ContractMeta): ContractMeta {
  checkName("user-id", userId);
  checkName("client-id", clientId);
  const own = channels.length === 0 ? ["default"] : [...new Set(channels)];
  if (own.length > CHANNELS_PER_SOCKET) throw exceeded("channels-per-socket");
  for (const name of own) checkName("the channel", name);
  checkFields(fields);
  return { userId, clientId, channels: own, fields };
}
