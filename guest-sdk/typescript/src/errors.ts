/** Errors with a code, and the words in which the host refuses. */

import type { Failure, Refusal } from "./host.js";
import { causeOf, said } from "./said.js";

/** An error with a code for programs. */
export class RoomError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
named(RoomError, "RoomError");

/** An error that is meant for the client who sent the event. */
export class Refused extends RoomError {}
named(Refused, "Refused");

/** Why a connection is refused. */
export class Rejection extends Error {
  readonly status: number;

  constructor(status: number, message = "") {
    super(message);
    this.status = status;
  }
}
named(Rejection, "Rejection");

/** Gives a class of errors its name, as the engine's own have theirs: a bundle shortens what it was declared as. */
function named(error: { prototype: Error }, name: string): void {
  Object.defineProperty(error, "name", { value: name, configurable: true });
  Object.defineProperty(error.prototype, "name", { value: name, writable: true, configurable: true });
}

export function reject(code: string, message: string): never {
  throw new Refused(String(code), String(message));
}

/** What a call of the host threw, as an error of ours. */
export function refusal(thrown: unknown): unknown {
  const refused = (thrown as { payload?: Refusal } | null | undefined)?.payload;
  switch (refused?.tag) {
    case "limit-exceeded":
      return new RoomError("limit-exceeded", `the bound ${refused.val} would be passed`);
    case "no-such-socket":
      return new RoomError("no-such-socket", "no such socket in this room; it may have left");
    case "no-turn":
      return new RoomError("no-turn", "outside a turn the room cannot be reached");
    case "invalid":
      return new RoomError("invalid", refused.val);
    case "other":
      return new RoomError("refused", refused.val);
    default:
      return thrown;
  }
}

/** What a call of the host answers; where it refuses, with an error of ours. */
export function asked<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    throw refusal(thrown);
  }
}

/** Why a turn failed, in the contract's words. */
export function failure(thrown: unknown): Failure {
  const code = thrown instanceof RoomError ? thrown.code : "error";
  return { code: cut(String(code), 128), message: cut(withCauses(thrown), 1024), forSender: thrown instanceof Refused };
}

/** An error's message with those of what caused it: `a: b: c`. */
export function withCauses(thrown: unknown): string {
  const parts: string[] = [];
  // Causes may form a ring.
  for (let depth = 0; depth < 8; depth += 1) {
    if (!(thrown instanceof Error)) {
      parts.push(typeof thrown === "string" ? thrown : inWords(thrown));
      break;
    }
    // The message of a plain error is the author's; of others, such as a TypeError, the name tells half of it.
    const plain = thrown instanceof RoomError || said(thrown, "name") === "Error";
    parts.push(plain ? said(thrown, "message") : `${said(thrown, "name")}: ${said(thrown, "message")}`);
    const cause = causeOf(thrown);
    if (cause === undefined || cause === null) break;
    thrown = cause;
  }
  return parts.join(": ");
}

/** Something that is no error and was thrown all the same. */
function inWords(thrown: unknown): string {
  try {
    const text = typeof thrown === "object" && thrown !== null ? JSON.stringify(thrown) : String(thrown);
    return `${text ?? typeof thrown} was thrown, which is no Error`;
  } catch {
    return `${typeof thrown === "object" ? "an" : "a"} ${typeof thrown} was thrown, which is no Error`;
  }
}

/** Cuts a text down to `max` bytes of UTF-8, between two characters. */
export function cut(text: string, max: number): string {
  // No character takes more than three bytes a unit.
  if (text.length * 3 <= max) return text;
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    const pair = unit >= 0xd800 && unit < 0xdc00 && isLow(text.charCodeAt(at + 1));
    bytes += pair ? 4 : unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
    if (bytes > max) return text.slice(0, at);
    if (pair) at += 1;
  }
  return text;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** How many bytes of UTF-8 a text is. */
export function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0)!;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}
