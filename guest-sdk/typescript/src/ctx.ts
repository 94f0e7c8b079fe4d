/** What handlers are given. */

import type { Ack, AskOptions, ClientAnswer, ConnectionMeta, MessageFrame } from "../types/index.js";
import { actor } from "./actor.js";
import { Answer } from "./answer.js";
import { SocketEmit } from "./emit.js";
import { RoomError } from "./errors.js";
import { argumentCount, type Event } from "./host.js";
import { dataIn } from "./message.js";
import { metaOf } from "./meta.js";
import { Socket, socketOfTurn } from "./socket.js";

/** Says that the data of an event has not been parsed yet. */
const UNREAD = {};
/** Stands in the place of the answer when the turn that could give one is over. */
const OVER = new Answer([]);

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
  _answer: Answer | undefined;
  _ack: Ack | undefined;

  constructor(event: Event) {
    this._event = event;
    this._data = UNREAD;
    this._ws = undefined;
    this._emit = undefined;
    this._answer = undefined;
    this._ack = undefined;
  }

  get actor(): typeof actor {
    return actor;
  }

  get ws(): Socket | undefined {
    const event = this._event;
    if (event.socket === null) return event.cause === "$error" ? NOBODY : undefined;
    if (this._ws !== undefined) return this._ws;
    return (this._ws = socketOfTurn(event.socket, event.cause === "$disconnect" || isGone(this)));
  }

  get meta(): ConnectionMeta {
    const { cause, socket } = this._event;
    return cause === "$error" ? metaForError(socket) : metaOf(socket ?? noSocket());
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

  get args(): readonly unknown[] {
    if (this._event.payload === null) return [];
    const data = dataOf(this);
    return Array.isArray(data) && argumentCount() > 1 ? data : [data];
  }

  get wantsAnswer(): boolean {
    return this._event.answerWanted;
  }

  ask(event: string, data?: unknown, options?: AskOptions): void {
    own(this).ask(event, data, options);
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
  return (ctx._data = payload === null ? {} : dataIn(payload));
}

/** Whether the event says that the socket left before it answered an ask. */
function isGone(ctx: Context): boolean {
  return ctx._event.cause === "$ack" && (dataOf(ctx) as ClientAnswer).outcome === "gone";
}

/** Nobody waits for the answer. */
const unheard: Ack = () => undefined;

/** The function that answers the event: the same for all of its handlers. */
export function ackOf(ctx: Context): Ack {
  if (!ctx._event.answerWanted) return unheard;
  return (ctx._ack ??= (...values) => give(ctx, new Answer(values)));
}

/** Answers the event. The first answer is the answer. */
export function give(ctx: Context, answer: Answer): void {
  if (ctx._answer === OVER) {
    throw new RoomError("no-turn", "the turn of the event is over: an acknowledgement is called before its handlers end");
  }
  ctx._answer ??= answer;
}

/** Ends the event's turn: takes what it was answered with. */
export function takeAnswer(ctx: Context): Answer | undefined {
  const answer = ctx._answer;
  ctx._answer = OVER;
  return answer;
}

function own(ctx: Context): Socket {
  return ctx.ws ?? noSocket();
}

function noSocket(): never {
  throw new RoomError("no-socket", "no socket is the cause of this event");
}
