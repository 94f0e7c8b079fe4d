/** Where operations run: the turn, and what they may look at. */

import { RoomError, type Ack, type Actor, type HookContext, type MessageContext, type Room, type RoomContext } from "@parlor/guest";
import type { Memory } from "./memory.ts";

/** What else an operation may look at. */
interface Given {
  /** The data of the event, as the handler has it. */
  data?: unknown;
  /** What came with the hook. */
  hook?: unknown;
  /** What answers the event. */
  ack?: Ack;
}

/** One handler's run. */
export class Scene {
  readonly data: unknown;
  readonly hook: unknown;
  readonly ack: Ack;
  readonly #ctx: HookContext | RoomContext;

  constructor(
    readonly room: Room,
    readonly memory: Memory,
    ctx: HookContext | RoomContext,
    { data = null, hook = null, ack = noAnswer }: Given = {},
  ) {
    memory.next = 0;
    this.#ctx = ctx;
    this.data = data;
    this.hook = hook;
    this.ack = ack;
  }

  get actor(): Actor {
    return this.#ctx.actor;
  }

  /** The context of a handler that has a socket. */
  get ctx(): MessageContext {
    if ((this.#ctx as MessageContext).ws === undefined) throw bad("this turn has no socket");
    return this.#ctx as MessageContext;
  }
}

function noAnswer(): never {
  throw bad("this handler cannot answer");
}

/** A case that asks for something that is not in the README. */
export function bad(why: string): RoomError {
  return new RoomError("bad-case", why);
}
