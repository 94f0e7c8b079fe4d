/** One instance of a plugin: its module, evaluated in a realm of its own. */

import vm from "node:vm";
import type { ContractMeta, ContractRequest, Definition, Event, Failure, Payload } from "../host.js";
import { Refused } from "./bounds.js";
import { importsOf, type Imports } from "./imports.js";
import type { RoomModule } from "./module.js";
import type { World } from "./world.js";

/** What the bundle of a room's module exports: see `build/room.mjs`. */
interface Exports {
  guest: {
    init(): Definition;
    authorize(request: ContractRequest): ContractMeta | null;
    handle(event: Event): Payload | null;
  };
  /** A value as one of the realm's. */
  given<T>(value: T): T;
}

/** The plugin refuses to start, in its words. */
export class NoInstance extends Error {}

/** A handler failed its turn. */
export class HandlerFailed extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

export class Instance {
  /** What it asked for, up to now and at its start. */
  readonly events = new Set<string>();
  readonly eventsAtStart: ReadonlySet<string>;
  readonly definition: Definition;
  isAuthorizing = false;
  readonly #exports: Exports;

  /** Starts one. `isAside` says that it is none of the room's: it has no turns. */
  constructor(
    module: RoomModule,
    world: World,
    readonly isAside = false,
  ) {
    this.#exports = evaluate(module, importsOf(world, this));
    this.definition = { ...started(() => this.#exports.guest.init()) };
    this.eventsAtStart = new Set(this.events);
  }

  authorize(request: ContractRequest): ContractMeta | null {
    this.isAuthorizing = true;
    const meta = this.#exports.guest.authorize(this.#exports.given(request));
    return meta === null ? null : { ...meta, channels: [...meta.channels] };
  }

  handle(event: Event): Payload | null {
    try {
      const payload = this.#exports.guest.handle(this.#exports.given(event));
      return payload === null ? null : copied(payload);
    } catch (thrown) {
      // What is no failure of the contract is a fault of the runtime, and the test's to see.
      if (typeof (thrown as Partial<Failure> | null)?.forSender !== "boolean") throw thrown;
      throw new HandlerFailed({ ...(thrown as Failure) });
    }
  }
}

function started<T>(start: () => T): T {
  try {
    return start();
  } catch (thrown) {
    throw typeof thrown === "string" ? new NoInstance(thrown) : thrown;
  }
}

/** A payload of the realm's as one of ours. */
function copied(payload: Payload): Payload {
  return payload.tag === "json" ? { ...payload } : { tag: "binary", val: new Uint8Array(payload.val) };
}

function evaluate({ table, script }: RoomModule, imports: Imports): Exports {
  const names = Object.fromEntries(Object.entries(imports).map(([name, functions]) => [name, Object.keys(functions)]));
  const outside = { call: caller(imports), names, globals: { atob, btoa, DOMException }, describe: String };
  const realm: any = vm.createContext({ parlorOutside: outside });
  table.runInContext(realm);
  try {
    script.runInContext(realm);
  } catch (thrown) {
    throw new NoInstance(outside.describe(thrown));
  }
  return realm.parlorRoom as Exports;
}

/** Texts cross to the host as UTF-8 and bytes by value; the rest of an argument is plain data. */
function crossed(value: any): any {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value as Uint8Array);
  if (Array.isArray(value)) return Array.from(value, crossed);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, crossed(item)]));
}

function caller(imports: Imports) {
  return (module: string, name: string, args: unknown[]): { value: unknown } | { refused: unknown } => {
    try {
      return { value: imports[module]![name]!(...Array.from(args, crossed)) };
    } catch (thrown) {
      if (thrown instanceof Refused) return { refused: thrown.payload };
      throw thrown;
    }
  };
}
