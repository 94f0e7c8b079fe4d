/** An answer for a client that waits for one. */

import type { Payload } from "./host.js";
import { jsonText } from "./payload.js";

export class Answer {
  constructor(readonly value: unknown) {}
}

export function answer(value: unknown): Answer {
  return new Answer(value);
}

/** The answer as the contract carries it. */
export function answerBody({ value }: Answer): Payload {
  return { tag: "json", val: value === undefined ? "null" : jsonText(value, "an answer") };
}
