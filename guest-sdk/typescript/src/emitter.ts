/** Verani's event emitter: handlers that are registered without a room, or on it by another name. */

import type { EventHandler, RoomEventEmitter } from "../types/index.js";
import { isThenable } from "./loop.js";

type Handlers = Map<string, Set<EventHandler<any>>>;

/** Calls handlers one after another, each awaited. The first error ends it. */
export function callAll(handlers: readonly EventHandler<any>[], ctx: any, data: unknown): Promise<void> {
  let done: Promise<unknown> = Promise.resolve();
  for (const handler of handlers) done = done.then(() => handler(ctx, data, () => undefined));
  return done.then(() => undefined);
}

class Emitter implements RoomEventEmitter<any> {
  readonly #handlers: Handlers = new Map();

  on(event: string, handler: EventHandler<any>): void {
    const own = this.#handlers.get(event) ?? new Set();
    this.#handlers.set(event, own.add(handler));
  }

  off(event: string, handler?: EventHandler<any>): boolean {
    const own = this.#handlers.get(event);
    if (own === undefined) return false;
    const isOne = handler === undefined || own.delete(handler);
    if (handler === undefined || own.size === 0) this.#handlers.delete(event);
    return isOne;
  }

  emit(event: string, ctx: any, data: unknown): Promise<void> {
    return callAll([...(this.#handlers.get(event) ?? []), ...(this.#handlers.get("*") ?? [])], ctx, data);
  }

  hasHandlers(event: string): boolean {
    return this.#handlers.has(event) || this.#handlers.has("*");
  }

  getEventNames(): string[] {
    return [...this.#handlers.keys()];
  }

  rebuildHandlers(handlers: Handlers): void {
    const copy = [...handlers].map(([event, own]): [string, Set<EventHandler<any>>] => [event, new Set(own)]);
    this.#handlers.clear();
    for (const [event, own] of copy) this.#handlers.set(event, own);
  }
}

export function createRoomEventEmitter(): RoomEventEmitter<any> {
  return new Emitter();
}

/** What runs an author's emitter for an event of a client; `otherwise` runs where it says that it has no handler. */
export function through(emitter: RoomEventEmitter<any>, otherwise: EventHandler<any> | undefined): EventHandler<any> {
  return (ctx, data, ack) => {
    const event = ctx.frame.type;
    const isTaken = emitter.hasHandlers?.(event) ?? true;
    if (!isTaken) return otherwise?.(ctx, data, ack);
    const result: unknown = emitter.emit(event, ctx, data);
    return isThenable(result) ? result : undefined;
  };
}
