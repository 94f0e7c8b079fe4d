/** Values as the log shows them. */

import { said } from "./said.js";

const DEPTH = 4;
const ITEMS = 50;
/** No value is shown at greater length: a line of the log holds no more. */
const LENGTH = 1200;

/** A value in the form that JavaScript writes it in: `{ a: 1, b: [ "x" ] }`. */
export function format(value: unknown): string {
  return show(value, 0, []);
}

/** Any part of a value may be the author's own, and throw: a line of the log must not. */
function show(value: unknown, depth: number, above: object[]): string {
  try {
    return shown(value, depth, above);
  } catch {
    return `[${typeof value} that cannot be shown]`;
  }
}

function shown(value: unknown, depth: number, above: object[]): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "function":
      return /^class\b/.test(Function.prototype.toString.call(value))
        ? `[class ${value.name || "(anonymous)"}]`
        : `[Function ${value.name || "(anonymous)"}]`;
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "object":
      return value === null ? "null" : showObject(value, depth, above);
    default:
      return String(value);
  }
}

function showObject(value: object, depth: number, above: object[]): string {
  if (above.includes(value)) return "[Circular]";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (value instanceof Error) return `[${said(value, "name")}: ${said(value, "message")}]`;
  if (depth >= DEPTH) return Array.isArray(value) ? "[Array]" : `[${nameOf(value) || "Object"}]`;
  const inner = [...above, value];
  const each = (item: unknown) => show(item, depth + 1, inner);
  if (Array.isArray(value)) return braced("", "[", some(value, value.length, each), "]");
  if (value instanceof Map) {
    const pairs = some(value, value.size, ([key, item]) => `${each(key)} => ${each(item)}`);
    return braced(`Map(${value.size})`, "{", pairs, "}");
  }
  if (value instanceof Set) return braced(`Set(${value.size})`, "{", some(value, value.size, each), "}");
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const array = value as unknown as ArrayLike<number>;
    return braced(`${nameOf(value)}(${array.length})`, "[", some(Array.from(array), array.length, each), "]");
  }
  if (value instanceof Promise) return "Promise {}";
  const own = Object.keys(value);
  const fields = some(own, own.length, (key) => {
    const name = /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
    return `${name}: ${each(read(value, key))}`;
  });
  return braced(nameOf(value), "{", fields, "}");
}

/** A getter of the author's may throw; a line of the log must not. */
function read(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key];
  } catch (error) {
    return error;
  }
}

/** The name of a value's class; none for plain objects. */
function nameOf(value: object): string {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null) return "[null prototype]";
  const name: unknown = prototype.constructor?.name;
  return typeof name === "string" && name !== "Object" ? name : "";
}

function some<T>(items: Iterable<T>, count: number, each: (item: T) => string): string[] {
  const shown: string[] = [];
  let length = 0;
  for (const item of items) {
    if (shown.length === ITEMS || length > LENGTH) {
      shown.push(`... ${count - shown.length} more`);
      break;
    }
    const text = each(item);
    length += text.length;
    shown.push(text);
  }
  return shown;
}

function braced(name: string, open: string, parts: string[], close: string): string {
  const front = name === "" ? "" : `${name} `;
  return parts.length === 0 ? `${front}${open}${close}` : `${front}${open} ${parts.join(", ")} ${close}`;
}
