/** The global `Date`: the engine's, whose time within a turn is that of its event, and outside of one the host's. */

import { now } from "./host.js";

const Native = Date;

/** When `performance` was first asked. */
let origin: number | undefined;

/** The global `performance`, by the same clock. */
export const performance = {
  get timeOrigin(): number {
    return (origin ??= now());
  },
  now(): number {
    return now() - this.timeOrigin;
  },
};

function HostDate(this: unknown, ...args: unknown[]): unknown {
  if (new.target === undefined) return new Native(now()).toString();
  return Reflect.construct(Native, args.length === 0 ? [now()] : args, new.target);
}

/** Puts the class in the place of the engine's: values of either are instances of both. */
export function installDate(): void {
  Object.defineProperties(HostDate, {
    name: { value: "Date" },
    length: { value: 7 },
    prototype: { value: Native.prototype },
    now: { value: now, writable: true, configurable: true },
    parse: { value: Native.parse, writable: true, configurable: true },
    UTC: { value: Native.UTC, writable: true, configurable: true },
  });
  const define = (target: object, name: string) =>
    Object.defineProperty(target, name, { value: HostDate, writable: true, configurable: true });
  define(Native.prototype, "constructor");
  define(globalThis, "Date");
}
