/** Puts globals in place. */

export function supply(globals: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
    // A bundle shortens what it was declared as.
    if (typeof value === "function") Object.defineProperty(value, "name", { value: name, configurable: true });
  }
}
