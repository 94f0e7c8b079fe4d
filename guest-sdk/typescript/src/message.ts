/** What goes to clients and comes from them: JSON, and the bytes in it, which the contract carries beside it. */

import { asked } from "./errors.js";
import { attach, attachments, spread, type Payload } from "./host.js";
import { notJson, withoutHalves } from "./payload.js";
import { filled, placeholder } from "./placeholders.js";
import { toBase64 } from "./text.js";

/** How many bytes a message carries beside its JSON: `attachments-per-event`. */
const ATTACHED_MAX = 16;

/** The bytes in the data that is being written; none while that is no message to a client. */
let found: Uint8Array[] | undefined;

/**
 * What JSON has of bytes: in a message to a client the placeholder of an attachment, or base64 past as many as it carries;
 * elsewhere the numbers, as of any object. The engine itself asks an object for this, so that data without bytes costs nothing.
 */
export function bytesToJson(this: Uint8Array): unknown {
  if (found === undefined) return { ...this };
  return found.length < ATTACHED_MAX ? placeholder(found.push(this) - 1) : { base64: toBase64(this) };
}

/**
 * Data for a client, whose bytes are attached to what the host is asked for next: nothing else may be asked of it in
 * between. `what` is what the data is for, in the author's words.
 */
export function message(data: unknown, what: string): Payload {
  // A `toJSON` of the author's may emit as well.
  const outer = found;
  const bytes: Uint8Array[] = (found = []);
  let text: string | undefined;
  try {
    text = JSON.stringify(data);
  } finally {
    found = outer;
  }
  if (text === undefined) return notJson(data, what);
  text = withoutHalves(text);
  if (bytes.length === 0) return { tag: "json", val: text };
  if (bytes[0] === data) return { tag: "binary", val: bytes[0]! };
  for (const one of bytes) asked(() => attach(one));
  return { tag: "json", val: text };
}

/** As `message`, for any number of values: several of them are several arguments, for clients that have these. */
export function messageOf(values: readonly unknown[], what: string): Payload {
  if (values.length === 1) return message(values[0], what);
  const body = message(values, what);
  asked(spread);
  return body;
}

/** What a client sent that names bytes, those in their places. */
export function withAttachments(data: unknown): unknown {
  const bytes = attachments();
  return bytes.length === 0 ? data : filled(data, bytes);
}
