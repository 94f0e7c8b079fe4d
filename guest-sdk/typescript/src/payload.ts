/** JSON in and out, as the contract carries it. */

import { RoomError } from "./errors.js";
import type { Payload } from "./host.js";

/** A value as JSON text. `what` is what the value is for, in the author's words. */
export function jsonText(value: unknown, what: string): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new RoomError("invalid", `${what} must be a JSON value, and a ${typeof value} is none`);
  return text;
}

/** The body of an emit. None at all is an empty object. */
export function emitBody(data: unknown): Payload {
  return { tag: "json", val: data === undefined ? "{}" : jsonText(data, "the data of an emit") };
}

/** The data of a payload; `absent` where there is none. */
export function read(payload: Payload | null, absent: unknown): any {
  if (payload === null) return absent;
  return payload.tag === "json" ? JSON.parse(payload.val) : payload.val;
}

/** A text argument: the contract's strings take nothing else. */
export function needText(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw new RoomError("invalid", `${what} must be a string, not ${value === null ? "null" : typeof value}`);
}
