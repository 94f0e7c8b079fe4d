/** The plugin's log, and the global `console` that writes to it. */

import { table } from "./console-table.js";
import { cut } from "./errors.js";
import { format } from "./format.js";
import { logWrite, needEnd, type Level } from "./host.js";
import { described } from "./lines.js";
import { needHost } from "./phase.js";
import { stackOf } from "./stack.js";

/** What a line of the log holds; the host cuts off the rest without a word. */
const LINE_BYTES = 1024;
const CUT = " ... (cut)";

/** Writes one line. */
export function write(level: Level, text: string): void {
  const short = cut(text, LINE_BYTES);
  logWrite(level, short.length === text.length ? text : cut(text, LINE_BYTES - CUT.length) + CUT);
}

function line(values: readonly unknown[]): string {
  let text = "";
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i];
    const part = typeof value === "string" ? value : value instanceof Error ? described(value) : format(value);
    text = i === 0 ? part : `${text} ${part}`;
    // The log keeps no more of it.
    if (text.length > LINE_BYTES) break;
  }
  return text;
}

/** A placeholder of a text's, and what it is for: `%%` is a percent sign. */
const PLACEHOLDER = /%([sdifjoOc%])/g;

/** Values as `console` has them: the first may be a text that says where those behind it go. */
function filledIn(values: readonly unknown[]): readonly unknown[] {
  const [first, ...rest] = values;
  if (typeof first !== "string" || rest.length === 0 || !first.includes("%")) return values;
  const text = first.slice(0, LINE_BYTES).replace(PLACEHOLDER, (placeholder, kind: string) => {
    if (kind === "%") return "%";
    return rest.length === 0 ? placeholder : inPlace(kind, rest.shift());
  });
  return [text, ...rest];
}

function inPlace(kind: string, value: unknown): string {
  const isNumber = typeof value === "number" || typeof value === "string";
  switch (kind) {
    case "c":
      return "";
    case "d":
      return typeof value === "bigint" ? `${value}n` : String(isNumber ? Number(value) : NaN);
    case "i":
      return typeof value === "bigint" ? `${value}n` : String(isNumber ? parseInt(String(value), 10) : NaN);
    case "f":
      return String(isNumber ? parseFloat(String(value)) : NaN);
    case "s":
      return line([value]);
    default:
      return format(value);
  }
}

/** How far the groups that are open move the lines of `console` in. */
let indent = "";
const INDENT_MAX = 32;
/** What `console.time` and `console.count` began, by their labels; of more the oldest are forgotten. */
const times = new Map<string, number>();
const counts = new Map<string, number>();
const LABELS_MAX = 100;

function remember(map: Map<string, number>, label: string, value: number): void {
  map.delete(label);
  map.set(label, value);
  if (map.size > LABELS_MAX) map.delete(map.keys().next().value!);
}

/** The end of a turn: a group that nobody ended moves no line of the next turn in. */
export function endGroups(): void {
  indent = "";
}

function writer(level: Level, name: string): (...values: unknown[]) => void {
  return (...values) => {
    needHost(name);
    write(level, line(values));
  };
}

/** Writes a line of `console`, each row of it moved in as the groups say. */
function say(level: Level, text: string): void {
  write(level, indent === "" ? text : indent + text.replaceAll("\n", `\n${indent}`));
}

function sayer(level: Level, name: string): (...values: unknown[]) => void {
  return (...values) => {
    needHost(name);
    say(level, line(filledIn(values)));
  };
}

function passed(label: string, ends: boolean, values: unknown[]): void {
  needHost(ends ? "console.timeEnd" : "console.timeLog");
  const begun = times.get(label);
  if (begun === undefined) return say("warn", `there is no timer ${JSON.stringify(label)}`);
  if (ends) times.delete(label);
  say("info", line([`${label}: ${Date.now() - begun}ms`, ...values]));
}

function group(...values: unknown[]): void {
  needHost("console.group");
  if (values.length > 0) say("info", line(filledIn(values)));
  if (indent.length < INDENT_MAX) indent += "  ";
  needEnd();
}

export const log = {
  debug: writer("debug", "log.debug"),
  info: writer("info", "log.info"),
  warn: writer("warn", "log.warn"),
  error: writer("error", "log.error"),
};

export const console = {
  debug: sayer("debug", "console.debug"),
  log: sayer("info", "console.log"),
  info: sayer("info", "console.info"),
  warn: sayer("warn", "console.warn"),
  error: sayer("error", "console.error"),
  dirxml: sayer("info", "console.dirxml"),
  dir(value: unknown): void {
    needHost("console.dir");
    say("info", line([value]));
  },
  table(data: unknown, columns?: readonly string[]): void {
    needHost("console.table");
    say("info", table(data, columns));
  },
  group,
  groupCollapsed: group,
  groupEnd(): void {
    indent = indent.slice(2);
  },
  time(label = "default"): void {
    needHost("console.time");
    remember(times, String(label), Date.now());
  },
  timeLog(label = "default", ...values: unknown[]): void {
    passed(String(label), false, values);
  },
  timeEnd(label = "default"): void {
    passed(String(label), true, []);
  },
  count(label = "default"): void {
    needHost("console.count");
    const count = (counts.get(String(label)) ?? 0) + 1;
    remember(counts, String(label), count);
    say("info", `${label}: ${count}`);
  },
  countReset(label = "default"): void {
    counts.delete(String(label));
  },
  clear(): void {},
  trace(...values: unknown[]): void {
    needHost("console.trace");
    say("debug", [line(["Trace:", ...values]), ...stackOf(new Error()).map((frame) => `    at ${frame}`)].join("\n"));
  },
  assert(condition: unknown, ...values: unknown[]): void {
    needHost("console.assert");
    if (!condition) say("error", line(["Assertion failed", ...values]));
  },
};
