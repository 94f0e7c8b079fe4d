/** What handlers are given. */

import type { ConnectionMeta, MessageFrame } from "../types/index.js";
import { actor } from "./actor.js";
import { SocketEmit } from "./emit.js";
import { RoomError } from "./errors.js";
import type { Event } from "./host.js";
import { metaOf } from "./meta.js";
import { read } from "./payload.js";
import { Socket } from "./socket.js";

/** The contexts of all handlers; their types say which parts each of them has. Parts are made when they are asked for. */
export class Context {
  readonly #event: Event;
  #data: unknown;
  #read = false;
  #ws: Socket | undefined;
  #emit: SocketEmit | undefined;

  constructor(event: Event) {
    this.#event = event;
  }

  get actor(): typeof actor {
    return actor;
  }

  get ws(): Socket | undefined {
    const { socket, cause } = this.#event;
    if (socket === null) return undefined;
    return (this.#ws ??= new Socket(socket, cause === "$disconnect"));
  }

  get meta(): Readonly<ConnectionMeta> {
    return metaOf(this.#id());
  }

  get emit(): SocketEmit {
    return (this.#emit ??= new SocketEmit(this.#event.socket));
  }

  get frame(): MessageFrame {
    const { name, channel, payload } = this.#event;
    return {
      type: name,
      ...(channel === null ? undefined : { channel }),
      ...(payload === null ? undefined : { data: dataOf(this) }),
    };
  }

  get wantsAnswer(): boolean {
    return this.#event.answerWanted;
  }

  join(channel: string): void {
    this.#own().join(channel);
  }

  leave(channel: string): void {
    this.#own().leave(channel);
  }

  setMeta(fields: unknown): void {
    this.#own().setMeta(fields);
  }

  close(code?: number, reason?: string): void {
    this.#own().close(code, reason);
  }

  #own(): Socket {
    return this.ws ?? noSocket();
  }

  #id(): number {
    return this.#event.socket ?? noSocket();
  }

  /** The event's data, parsed when the first handler is given it: all of them share it. */
  static dataOf(ctx: Context): unknown {
    if (!ctx.#read) {
      ctx.#data = read(ctx.#event.payload, {});
      ctx.#read = true;
    }
    return ctx.#data;
  }

  static eventOf(ctx: Context): Event {
    return ctx.#event;
  }
}

export const { dataOf, eventOf } = Context;

function noSocket(): never {
  throw new RoomError("no-socket", "no socket is the cause of this event");
}
