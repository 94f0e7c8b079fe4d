/** What handlers are given: the engine has the object, and what of it is asked for often (`engine/context.c`). */

import type { AskOptions, ClientAnswer, ConnectionMeta, MessageFrame } from "../types/index.js";
import { actor } from "./actor.js";
import { RoomError } from "./errors.js";
import {
  argumentCount,
  contextPrototype,
  eventCause,
  eventChannel,
  eventData,
  eventHasData,
  eventName,
  eventSocket,
  type Context,
} from "./host.js";
import { metaOf } from "./meta.js";
import { Socket, socketOfTurn } from "./socket.js";

/** The hooks whose socket has left. */
const LEFT = ["$disconnect", "$user-leave"];

/** The socket of a failed turn that none was the cause of: as one that has left. */
const NOBODY = new Socket(0, true);

/** The meta of who caused a failed turn: that of nobody, where it is gone, so that `onError` can log what it has. */
function metaForError(socket: number | null): ConnectionMeta {
  try {
    if (socket !== null) return metaOf(socket);
  } catch (error) {
    if (!(error instanceof RoomError && error.code === "no-such-socket")) throw error;
  }
  return { userId: "", clientId: "", channels: [] };
}

/** The members of all contexts; their types say which of them each has. */
const members = {
  get ws(): Socket | undefined {
    const ctx = this as unknown as Context;
    const socket = eventSocket(ctx);
    if (socket === null) return eventCause(ctx) === "$error" ? NOBODY : undefined;
    return socketOfTurn(socket, LEFT.includes(eventCause(ctx)) || isGone(ctx));
  },

  get meta(): ConnectionMeta {
    const ctx = this as unknown as Context;
    const socket = eventSocket(ctx);
    return eventCause(ctx) === "$error" ? metaForError(socket) : metaOf(socket ?? noSocket());
  },

  get frame(): MessageFrame {
    const ctx = this as unknown as Context;
    const channel = eventChannel(ctx);
    return {
      type: eventName(ctx),
      ...(channel === null ? undefined : { channel }),
      ...(eventHasData(ctx) ? { data: eventData(ctx) } : undefined),
    };
  },

  get args(): readonly unknown[] {
    const ctx = this as unknown as Context;
    if (!eventHasData(ctx)) return [];
    const data = eventData(ctx);
    return Array.isArray(data) && argumentCount() > 1 ? data : [data];
  },

  ask(event: string, data?: unknown, options?: AskOptions): void {
    own(this).ask(event, data, options);
  },

  join(channel: string): void {
    own(this).join(channel);
  },

  leave(channel: string): void {
    own(this).leave(channel);
  },

  setMeta(fields: unknown): void {
    own(this).setMeta(fields);
  },

  close(code?: number, reason?: string): void {
    own(this).close(code, reason);
  },
};

Object.defineProperties(contextPrototype(), Object.getOwnPropertyDescriptors(members));
// Nothing has to be called for this one.
Object.defineProperty(contextPrototype(), "actor", { value: actor, enumerable: true });

/** Whether the event says that the socket left before it answered an ask. */
function isGone(ctx: Context): boolean {
  return eventCause(ctx) === "$ack" && (eventData(ctx) as ClientAnswer).outcome === "gone";
}

function own(ctx: { ws: Socket | undefined }): Socket {
  return ctx.ws ?? noSocket();
}

function noSocket(): never {
  throw new RoomError("no-socket", "no socket is the cause of this event");
}
