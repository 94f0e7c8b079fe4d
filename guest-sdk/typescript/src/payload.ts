/** JSON in and out, as the contract carries it. */

import { RoomError } from "./errors.js";

/** A value as JSON text. `what` is what the value is for, in the author's words. */
export function jsonText(value: unknown, what: string): string {
  return (JSON.stringify(value) as string | undefined) ?? notJson(value, what);
}

/** The own fields of a connection as JSON text. */
export function fieldsText(own: object): string {
  return withoutHalves(jsonText(own, "the own fields of a connection"));
}

/** JSON text that others read: half of a surrogate pair, which JSON has a form of, is no text for them. */
export function withoutHalves(text: string): string {
  // The engine writes no other escape that begins so.
  return text.includes("\\ud") ? text.replace(/\\(?:ud[89a-f]..|.)/g, (escape) => (escape.length > 2 ? "\\ufffd" : escape)) : text;
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
