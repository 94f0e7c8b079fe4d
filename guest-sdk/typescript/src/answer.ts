/** An answer for a client that waits for one. */

import type { Payload } from "./host.js";
import { messageOf } from "./message.js";
import { jsonText } from "./payload.js";

const WHAT = "an answer";

/** The answer as the contract carries it; none for an answer without a value. Nothing may be emitted behind this. */
export function answerBody(values: readonly unknown[]): Payload | null {
  return values.length === 0 ? null : messageOf(values.length === 1 ? [values[0] ?? null] : values, WHAT);
}

/** The state that `$suspend` answers with, which goes to no client. */
export function stateBody(values: readonly unknown[]): Payload {
  return { tag: "json", val: jsonText(values[0] ?? null, WHAT) };
}
