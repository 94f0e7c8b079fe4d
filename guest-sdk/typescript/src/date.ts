/** The global `Date`: the engine's, with the host's clock. The engine's own stands still, or ends the instance. */

import { clockNow } from "./host.js";
import { needHost } from "./phase.js";

const Native = Date;

/** The time of the turn that runs: its event tells it, so that nobody has to ask the host. */
let turnTime: number | undefined;

/** Within a turn the time is that of its event; outside of one the host's. */
export function setTurnTime(time: number | undefined): void {
  turnTime = time;
}

/** Milliseconds since the Unix epoch: in a turn the moment when the room accepted the event. */
function now(): number {
  if (turnTime !== undefined) return Math.trunc(turnTime);
  needHost("the current time");
  return Math.trunc(clockNow());
}

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
