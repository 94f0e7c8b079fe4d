/** Puts globals in place. */

export function supply(globals: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
    // A bundle shortens what it was declared as.
    if (typeof value !== "function") continue;
    Object.defineProperty(value, "name", { value: name, configurable: true });
    if (/^[A-Z]/.test(name)) tag(value.prototype, name);
  }
}

/** What `Object.prototype.toString` says of a class's instances, by which packages tell those of the web. */
function tag(prototype: object, name: string): void {
  if (!(Symbol.toStringTag in prototype)) Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
}
