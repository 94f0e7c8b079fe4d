/** Where an error came from, in the author's files and lines: the engine has the table that the build made (`build/lines.mjs`). */

import { RoomError, withCauses } from "./errors.js";
import { frames } from "./host.js";

/** The stack in the author's places, the SDK's own left out. */
export function stackOf(error: Error): string[] {
  return typeof error.stack === "string" ? frames(error.stack) : [];
}

/** An error for the log: its name, its message with what caused it, and where it came from. */
export function described(thrown: unknown): string {
  if (!(thrown instanceof Error)) return withCauses(thrown);
  const said = withCauses(thrown);
  const named = thrown instanceof RoomError ? `${thrown.code}: ${said}` : said;
  const name = thrown.name === "Error" ? "Error: " : "";
  return [name + named, ...stackOf(thrown).map((frame) => `    at ${frame}`)].join("\n");
}
