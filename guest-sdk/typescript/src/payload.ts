/** JSON in and out, as the contract carries it. */

import { RoomError } from "./errors.js";

/** A value as JSON text. `what` is what the value is for, in the author's words. */
export function jsonText(value: unknown, what: string): string {
  return (JSON.stringify(value) as string | undefined) ?? notJson(value, what);
}

/** Refuses a value that JSON has no form of. */
export function notJson(value: unknown, what: string): never {
  throw new RoomError("invalid", `${what} must be a JSON value, not ${typeof value}`);
}

/** A text argument: the contract's strings take nothing else. */
export function needText(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw new RoomError("invalid", `${what} must be a string, not ${value === null ? "null" : typeof value}`);
}
