/** One instance of a plugin: its module, with memory of its own. */

import type { ContractMeta, ContractRequest, Definition, Event, Failure, Payload } from "../host.js";
import { Failed, type Kind, type Room } from "./abi.js";
import { Refused } from "./bounds.js";
import { GUEST, SIGNATURES, type Signature } from "./contract.js";
import type { Keep } from "./histories.js";
import { importsOf, type Imports } from "./imports.js";
import type { RoomModule } from "./module.js";
import type { World } from "./world.js";

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
  isBeginning = true;
  readonly keeps = new Map<string, Keep>();
  readonly #call: (name: keyof typeof GUEST, ...args: unknown[]) => any;

  /** Starts one. `isAside` says that it is none of the room's: it has no turns. */
  constructor(
    module: RoomModule,
    world: World,
    readonly isAside = false,
  ) {
    this.#call = callerOf(module, importsOf(world, this));
    const definition = this.#call("init");
    if (definition instanceof Failed) throw new NoInstance(definition.value);
    this.definition = definition;
    this.isBeginning = false;
    this.eventsAtStart = new Set(this.events);
  }

  authorize(request: ContractRequest): ContractMeta | null {
    this.isAuthorizing = true;
    const meta = this.#call("authorize", { ...request, headers: request.headers.map((pair) => ({ ...pair })) });
    if (meta instanceof Failed) throw meta.value;
    return meta;
  }

  handle(event: Event): Payload | null {
    const payload = this.#call("handle", event);
    if (payload instanceof Failed) throw new HandlerFailed(payload.value);
    return payload;
  }
}

/** What the engine exports beside the contract's functions. */
interface Exports {
  memory: WebAssembly.Memory;
  cabi_realloc(old: number, oldSize: number, alignment: number, size: number): number;
}

/** Instantiates a module over these functions of the host's; answers what calls a function of it. */
function callerOf(module: RoomModule, imports: Imports): (name: keyof typeof GUEST, ...args: unknown[]) => any {
  let exports: Exports & Record<string, (...args: number[]) => number>;
  let view = new DataView(new ArrayBuffer(0));
  const room: Room = {
    view() {
      const { buffer } = exports.memory;
      if (view.buffer !== buffer) view = new DataView(buffer);
      return view;
    },
    allocate: (size, alignment) => exports.cabi_realloc(0, 0, alignment, size),
  };
  const hosted: Record<string, Record<string, (...args: number[]) => unknown>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    const signature = SIGNATURES[`${from}#${name}`]!;
    (hosted[from] ??= {})[name] = hostFunction(room, signature, imports[signature.module]![signature.name]!);
  }
  exports = new WebAssembly.Instance(module, hosted).exports as unknown as typeof exports;
  return (name, ...args) => {
    const { takes, answers }: { takes: readonly Kind[]; answers: Kind } = GUEST[name];
    const flat = args.flatMap((value, at) => takes[at]!.give(room, value));
    const place = exports[`parlor:room/guest@0.1.0#${name}`]!(...flat);
    const answer = answers.load(room, place);
    exports[`cabi_post_parlor:room/guest@0.1.0#${name}`]!(place);
    return answer;
  };
}

/** A function of the host's, as the engine calls it. */
function hostFunction(room: Room, { takes, answers }: Signature, run: (...args: any[]) => unknown) {
  return (...args: number[]): unknown => {
    const flat = args.values();
    const given = takes.map((kind) => kind.take(room, flat));
    const answer = answered(() => run(...given));
    if (answers === undefined) return undefined;
    if (answers.flats === 1) return answers.give(room, answer)[0];
    answers.store(room, flat.next().value as number, answer);
    return undefined;
  };
}

function answered(run: () => unknown): unknown {
  try {
    return run();
  } catch (thrown) {
    if (thrown instanceof Refused) return new Failed(thrown.payload);
    throw thrown;
  }
}
