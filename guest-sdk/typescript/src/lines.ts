/**
 * Where an error came from, in the author's files and lines.
 *
 * The build leaves a table behind the bundle: the author's files, and for each line of the bundle where it came from. It
 * is text that all rooms share, and it is read only when there is an error to describe.
 */

import { RoomError, withCauses } from "./errors.js";

/** What the build leaves in `globalThis[TABLE]`. */
interface Table {
  files: string[];
  /**
   * A part a line of the bundle, with `;` between them: where in it something from another line of the author's begins, as
   * VLQ numbers in threes, the column, the file and the line, each the difference to the one before in that part. File
   * -1 is the SDK's own code.
   */
  lines: string;
}

/** Where the table is; the build writes the same name. */
export const TABLE = "__parlorLines";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** How many places of a stack are told. */
const FRAMES = 8;

/** The numbers of a text in base 64 VLQ. */
export function numbers(text: string): number[] {
  const found: number[] = [];
  let value = 0;
  let shift = 0;
  for (const digit of text) {
    const bits = DIGITS.indexOf(digit);
    value += (bits & 31) * 2 ** shift;
    shift += 5;
    if (bits & 32) continue;
    found.push(value % 2 === 1 ? -(value - 1) / 2 : value / 2);
    value = 0;
    shift = 0;
  }
  return found;
}

/** The part of the table that is about a line of the bundle, counted from 1. */
function partOf(lines: string, line: number): string {
  let from = 0;
  for (let left = line - 1; left > 0; left -= 1) {
    from = lines.indexOf(";", from) + 1;
    if (from === 0) return "";
  }
  const to = lines.indexOf(";", from);
  return lines.slice(from, to < 0 ? undefined : to);
}

/** The author's file and line of a place in the bundle, all counted from 1; none for the SDK's own code. */
export function place(table: Table, line: number, column: number): string | undefined {
  const parts = numbers(partOf(table.lines, line));
  let at = 0;
  let file = 0;
  let original = 0;
  let found: string | undefined;
  for (let i = 0; i + 2 < parts.length; i += 3) {
    at += parts[i]!;
    if (at > column - 1) break;
    file += parts[i + 1]!;
    original += parts[i + 2]!;
    found = file < 0 ? undefined : `${table.files[file]}:${original + 1}`;
  }
  return found;
}

/** The stack in the author's places, the SDK's own left out; as it is where there is no table. */
export function stackOf(error: Error): string[] {
  const stack = typeof error.stack === "string" ? error.stack : "";
  const table = (globalThis as any)[TABLE] as Table | undefined;
  const frames: string[] = [];
  for (const text of stack.split("\n")) {
    const frame = /^\s*at (.*?)\s*\(?([^\s()]+):(\d+):(\d+)\)?$/.exec(text);
    if (frame === null) continue;
    const [, name, file, line, column] = frame as unknown as [string, string, string, string, string];
    const where = table === undefined ? `${file}:${line}` : place(table, Number(line), Number(column));
    if (where !== undefined) frames.push(name === "" || name === "<anonymous>" ? where : `${name} (${where})`);
    if (frames.length === FRAMES) break;
  }
  return frames;
}

/** An error for the log: its name, its message with what caused it, and where it came from. */
export function described(thrown: unknown): string {
  if (!(thrown instanceof Error)) return withCauses(thrown);
  const said = withCauses(thrown);
  const named = thrown instanceof RoomError ? `${thrown.code}: ${said}` : said;
  const name = thrown.name === "Error" ? "Error: " : "";
  return [name + named, ...stackOf(thrown).map((frame) => `    at ${frame}`)].join("\n");
}
