/**
 * What makes a realm of node's into one of a component's. The bundle of a test room imports this first: it runs within the
 * realm, before the SDK, and is the realm's side of the calls to the host.
 */

import type { Refusal } from "../host.js";
import { described } from "../lines.js";

/** What the test room leaves in the realm before it runs the bundle; see `instance.ts`. */
interface Outside {
  call(module: string, name: string, args: unknown[]): { value: unknown } | { refused: Refusal };
  /** The names of the functions of each interface. */
  names: Record<string, string[]>;
  /** Globals of QuickJS that are not of the language. */
  globals: { atob(text: string): string; btoa(binary: string): string; DOMException: unknown };
  /** Left for the test room: says what an error is and where it came from. */
  describe: (error: unknown) => string;
}

const global = globalThis as any;
const outside = global.parlorOutside as Outside;
const { call, names, globals } = outside;
outside.describe = described;
delete global.parlorOutside;

for (const [name, value] of Object.entries(globals)) define(globalThis, name, value);
// The engine of a component has none of these, so that a plugin that needs them must fail here too.
for (const name of ["Intl", "WebAssembly", "Atomics"]) delete global[name];
if (!("fromBase64" in Uint8Array)) {
  define(Uint8Array, "fromBase64", (text: string) => Uint8Array.from(globals.atob(text), (byte) => byte.charCodeAt(0)));
  define(Uint8Array.prototype, "toBase64", function (this: Uint8Array) {
    let binary = "";
    for (const byte of this) binary += String.fromCharCode(byte);
    return globals.btoa(binary);
  });
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
}

/** The script that an instance runs, by the name that `instance.ts` gives it. */
const SCRIPT = "parlor-plugin.js";
/** Stacks end where the realm does, and say no more than those of a component. */
global.Error.stackTraceLimit = 64;
global.Error.prepareStackTrace = (_error: Error, sites: any[]): string =>
  sites
    .filter((site) => site.getFileName() === SCRIPT)
    .map((site) => `    at ${site.getFunctionName() ?? "<anonymous>"} (${SCRIPT}:${site.getLineNumber()}:${site.getColumnNumber()})`)
    .join("\n");

/** A value of the test room's as one of this realm: plain data and bytes. */
function own(value: any): any {
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value as Uint8Array);
  if (Array.isArray(value)) return Array.from(value, own);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, own(item)]));
}

/** An interface of the contract: `parlor:room/NAME` as the bundle imports it. */
export function host(module: string): object {
  const ask = (name: string, args: unknown[]) => {
    const answer = call(module, name, args);
    if ("value" in answer) return own(answer.value);
    throw Object.assign(new Error(answer.refused.tag), { payload: own(answer.refused) });
  };
  return Object.fromEntries(names[module]!.map((name) => [name, (...args: unknown[]) => ask(name, args)]));
}

/** An event or a request, which the test room made. */
export const given = own;
