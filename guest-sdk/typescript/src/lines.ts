/** Where an error came from, in the author's files and lines: the engine has the table that the build made (`build/lines.mjs`). */

import { RoomError, withCauses } from "./errors.js";
import { partsOf, said } from "./said.js";
import { stackOf } from "./stack.js";

/** How many of the errors that one stands for are told. */
const PARTS = 4;

/** An error for the log: its name, its message with what caused it, where it came from, and what it stands for. */
export function described(thrown: unknown): string {
  if (!(thrown instanceof Error)) return withCauses(thrown);
  const words = withCauses(thrown);
  const named = thrown instanceof RoomError ? `${thrown.code}: ${words}` : words;
  const name = said(thrown, "name") === "Error" ? "Error: " : "";
  const parts = partsOf(thrown);
  const told = parts.slice(0, PARTS).map((part, at) => `  [${at}] ${part instanceof Error ? onePart(part) : withCauses(part)}`);
  if (parts.length > PARTS) told.push(`  ... ${parts.length - PARTS} more`);
  return [name + named, ...stackOf(thrown).map((frame) => `    at ${frame}`), ...told].join("\n");
}

/** One of the errors that another stands for, with the place where it began. */
function onePart(error: Error): string {
  const [place] = stackOf(error);
  return place === undefined ? withCauses(error) : `${withCauses(error)} (at ${place})`;
}
