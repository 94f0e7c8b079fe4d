/** Whether what came is what a case expects. */

/** What stands for any value, and at the end of a text for any rest of it. */
const ANY = "<any>";

export function matches(expected: unknown, found: unknown): boolean {
  if (expected === ANY) return true;
  if (typeof expected === "string" && expected.endsWith(ANY)) {
    return typeof found === "string" && found.startsWith(expected.slice(0, -ANY.length));
  }
  if (typeof expected !== "object" || typeof found !== "object" || expected === null || found === null) {
    // Numbers are equal where their values are: minus zero is zero.
    return expected === found;
  }
  if (Array.isArray(expected) !== Array.isArray(found)) return false;
  const names = Object.keys(expected);
  if (names.length !== Object.keys(found).length) return false;
  return names.every((name) => Object.hasOwn(found, name) && matches(member(expected, name), member(found, name)));
}

/** Also of a name that objects inherit, such as `constructor`. */
function member(value: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

/** Throws where a value is not as expected; `what` says which value it is. */
export function same(what: string, expected: unknown, found: unknown): void {
  if (matches(expected, found)) return;
  throw new Error(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
}

/** A frame as `expect` writes it. */
export function asWritten(frame: any): unknown {
  if (frame.type !== "event" || "id" in frame || "at" in frame) return { frame };
  return frame.channel === "default" ? frame.data : { channel: frame.channel, data: frame.data };
}
