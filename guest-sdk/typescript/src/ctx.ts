/** What handlers are given. */

import type { ConnectionMeta, MessageFrame } from "../types/index.js";
import { actor } from "./actor.js";
import { SocketEmit } from "./emit.js";
import { RoomError } from "./errors.js";
import type { Event } from "./host.js";
import { metaOf } from "./meta.js";
import { Socket } from "./socket.js";

/** Says that the data of an event has not been parsed yet. */
const UNREAD = {};

/**
 * The contexts of all handlers; their types say which parts each of them has. Parts are made when they are asked for.
 *
 * The fields are ordinary ones: private fields cost a check at each access, in what every event goes through.
 */
export class Context {
  readonly _event: Event;
  _data: unknown;
  _ws: Socket | undefined;
  _emit: SocketEmit | undefined;

  constructor(event: Event) {
    this._event = event;
    this._data = UNREAD;
    this._ws = undefined;
    this._emit = undefined;
  }

  get actor(): typeof actor {
    return actor;
  }

  get ws(): Socket | undefined {
    const event = this._event;
    if (event.socket === null) return undefined;
    return (this._ws ??= new Socket(event.socket, event.cause === "$disconnect"));
  }

  get meta(): Readonly<ConnectionMeta> {
    return metaOf(this._event.socket ?? noSocket());
  }

  get emit(): SocketEmit {
    return (this._emit ??= new SocketEmit(this._event.socket));
  }

  get frame(): MessageFrame {
    const { name, channel, payload } = this._event;
    return {
      type: name,
      ...(channel === null ? undefined : { channel }),
      ...(payload === null ? undefined : { data: dataOf(this) }),
    };
  }

  get wantsAnswer(): boolean {
    return this._event.answerWanted;
  }

  join(channel: string): void {
    own(this).join(channel);
  }

  leave(channel: string): void {
    own(this).leave(channel);
  }

  setMeta(fields: unknown): void {
    own(this).setMeta(fields);
  }

  close(code?: number, reason?: string): void {
    own(this).close(code, reason);
  }
}

/** The event's data, parsed when the first handler is given it: all of them share it. */
export function dataOf(ctx: Context): unknown {
  if (ctx._data !== UNREAD) return ctx._data;
  const payload = ctx._event.payload;
  return (ctx._data = payload === null ? {} : payload.tag === "json" ? JSON.parse(payload.val) : payload.val);
}

function own(ctx: Context): Socket {
  return ctx.ws ?? noSocket();
}

function noSocket(): never {
  throw new RoomError("no-socket", "no socket is the cause of this event");
}
