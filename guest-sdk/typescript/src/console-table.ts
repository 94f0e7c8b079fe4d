/** What `console.table` draws. */

import { format } from "./format.js";

const VALUES = "Values";
/** A line of the log holds no more. */
const ROWS = 50;

function cell(value: unknown): string {
  return typeof value === "object" && value !== null ? format(value) : typeof value === "string" ? `'${value}'` : String(value);
}

/** The rows of a table with the names of its columns, or nothing where the data has no rows. */
function rowsOf(data: object, columns: readonly string[] | undefined): { names: string[]; rows: Map<string, string>[] } {
  const entries: [string, unknown][] =
    data instanceof Map || data instanceof Set ? [...data.values()].map((value, at) => [String(at), value]) : Object.entries(data);
  const names = new Set<string>(columns);
  let hasValues = false;
  const rows = entries.slice(0, ROWS).map(([index, value]) => {
    const row = new Map([["", index]]);
    if (typeof value !== "object" || value === null) {
      hasValues = true;
      return row.set(VALUES, cell(value));
    }
    for (const name of columns ?? Object.keys(value)) {
      names.add(name);
      row.set(name, name in value ? cell((value as Record<string, unknown>)[name]) : "");
    }
    return row;
  });
  return { names: ["", ...names, ...(hasValues ? [VALUES] : [])], rows };
}

/** Data as a table: a row for each of its members, a column for each name of theirs. */
export function table(data: unknown, columns?: readonly string[]): string {
  if (typeof data !== "object" || data === null) return cell(data);
  const { names, rows } = rowsOf(data, columns);
  const lines = [new Map(names.map((name) => [name, name])), ...rows];
  const widths = names.map((name) => Math.max(...lines.map((row) => (row.get(name) ?? "").length)));
  const drawn = lines.map((row) => names.map((name, at) => (row.get(name) ?? "").padEnd(widths[at]!)).join(" | ").trimEnd());
  const rule = widths.map((width) => "-".repeat(width)).join("-|-");
  return [drawn[0], rule, ...drawn.slice(1)].join("\n");
}
