/** Where operations run: the turn, and what they may look at. */

import { RoomError, type Actor, type MessageContext, type Room, type RoomContext } from "@parlor/guest";
import type { Memory } from "./memory.js";
import { operations } from "./operations.js";

/** A case that asks for something that is not in the README. */
export function bad(why: string): RoomError {
  return new RoomError("bad-case", why);
}

/** What the plugin's handlers share. */
export interface Plugin {
  room: Room;
  memory: Memory;
}

/** What a handler has that runs operations. */
interface Given {
  actor: Actor;
  /** The socket's context; none where a hook has none. */
  ctx?: RoomContext | MessageContext;
  /** The data of the event. */
  data?: unknown;
  /** What came with the hook. */
  hook?: unknown;
}

/** One handler's run. */
export class Scene {
  /** Where `next` is. */
  count = 0;

  constructor(
    readonly plugin: Plugin,
    readonly given: Given,
  ) {}

  get actor(): Actor {
    return this.given.actor;
  }

  get ctx(): RoomContext {
    if (this.given.ctx === undefined) throw bad("this turn has no socket");
    return this.given.ctx;
  }

  /** Runs a list of operations; the list of their results. */
  async run(ops: unknown): Promise<unknown[]> {
    if (!Array.isArray(ops)) throw bad(`operations are a list, not ${JSON.stringify(ops)}`);
    const results: unknown[] = [];
    for (const op of ops) results.push(await this.op(op));
    return results;
  }

  /** Runs one operation. */
  async op(op: unknown): Promise<unknown> {
    if (!Array.isArray(op) || typeof op[0] !== "string") {
      throw bad(`an operation is a list that begins with its name, not ${JSON.stringify(op)}`);
    }
    const [name, ...args] = op;
    const { call, raw = [] } = operations.get(name) ?? {};
    if (call === undefined) throw bad(`there is no operation ${name}`);
    const values: unknown[] = [];
    for (const [at, arg] of args.entries()) values.push(raw.includes(at) ? arg : await this.value(arg));
    return (await call(this, ...values)) ?? null;
  }

  /** A value, with the results of the operations in it. */
  async value(value: unknown): Promise<unknown> {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) {
      const values: unknown[] = [];
      for (const inner of value) values.push(await this.value(inner));
      return values;
    }
    const members = Object.entries(value);
    if (members.length === 1 && members[0]![0] === "$") return this.op(members[0]![1]);
    const evaluated: [string, unknown][] = [];
    for (const [name, inner] of members) evaluated.push([name, await this.value(inner)]);
    return Object.fromEntries(evaluated);
  }
}
