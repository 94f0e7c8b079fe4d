/** The plugin's log, and the global `console` that writes to it. */

import { cut } from "./errors.js";
import { format } from "./format.js";
import { logWrite, type Level } from "./host.js";
import { described, stackOf } from "./lines.js";
import { needHost } from "./phase.js";

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

function writer(level: Level, name: string): (...values: unknown[]) => void {
  return (...values) => {
    needHost(name);
    write(level, line(values));
  };
}

export const log = {
  debug: writer("debug", "log.debug"),
  info: writer("info", "log.info"),
  warn: writer("warn", "log.warn"),
  error: writer("error", "log.error"),
};

export const console = {
  debug: writer("debug", "console.debug"),
  log: writer("info", "console.log"),
  info: writer("info", "console.info"),
  warn: writer("warn", "console.warn"),
  error: writer("error", "console.error"),
  trace(...values: unknown[]): void {
    needHost("console.trace");
    write("debug", [line(["Trace:", ...values]), ...stackOf(new Error()).map((frame) => `    at ${frame}`)].join("\n"));
  },
  assert(condition: unknown, ...values: unknown[]): void {
    needHost("console.assert");
    if (!condition) write("error", line(["Assertion failed", ...values]));
  },
};
