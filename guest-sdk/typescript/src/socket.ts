/** A socket of the room. */

import type { AskOptions, ConnectionMeta } from "../types/index.js";
import { RoomError, asked } from "./errors.js";
import { touch } from "./follower.js";
import { eventOf } from "./frames.js";
import { ask, close, join, leave, needEnd, present, socketTarget } from "./host.js";
import { message, messageOf } from "./message.js";
import { freshMetaOf, metaOf, noteChannel, replaceFields } from "./meta.js";
import { needText } from "./payload.js";

/** Those that this turn closes. */
const closing = new Set<number>();
/** Those that this turn knows to be in the room. Any other may have left since its meta was kept. */
const here = new Set<number>();

/** How long an ask waits that says nothing of it. */
const ASK_TIMEOUT_MS = 10_000;

/** The sockets that handlers were given: the same object for a socket for as long as it is connected. */
const sockets = new Map<number, Socket>();
/** At how many of them those that have left are looked for. */
const SOCKETS_KEPT = 512;
let crowded = SOCKETS_KEPT;

export function endTurn(): void {
  if (closing.size > 0) closing.clear();
  if (here.size > 0) here.clear();
}

/** Forgets a socket that has left. */
export function forget(id: number): void {
  sockets.delete(id);
}

/** The socket of this id, which is connected, or was until lately. */
export function socketOf(id: number): Socket {
  const found = sockets.get(id);
  if (found !== undefined) return found;
  if (sockets.size >= crowded) {
    // Not every plugin hears that sockets leave.
    const connected = new Set(socketIds(null));
    for (const one of sockets.keys()) if (!connected.has(one)) sockets.delete(one);
    crowded = Math.max(SOCKETS_KEPT, 2 * sockets.size);
  }
  const socket = new Socket(id);
  sockets.set(id, socket);
  return socket;
}

/** The socket of an id that an author has, which may be any number. */
export function socketBy(id: number): Socket {
  return sockets.get(id) ?? new Socket(id);
}

/** The connected sockets, or those of a user. */
export function socketIds(userId: string | null): number[] {
  const ids = asked(() => present(userId));
  for (const id of ids) here.add(id);
  needEnd();
  return ids;
}

/** The socket that this turn is about. */
export function socketOfTurn(id: number, isGone: boolean): Socket {
  const socket = socketOf(id);
  needEnd();
  if (isGone) socket._left = true;
  else here.add(id);
  return socket;
}

export class Socket {
  /** `_left` is known of the socket whose end a turn is about. */
  constructor(
    readonly id: number,
    public _left = false,
  ) {}

  get readyState(): 1 | 2 | 3 {
    if (this._left) return 3;
    if (closing.has(this.id)) return 2;
    try {
      void this.meta;
      return 1;
    } catch (error) {
      if (error instanceof RoomError && error.code === "no-such-socket") return 3;
      throw error;
    }
  }

  get meta(): ConnectionMeta {
    if (this._left || here.has(this.id)) return metaOf(this.id);
    const meta = freshMetaOf(this.id);
    here.add(this.id);
    needEnd();
    return meta;
  }

  emit(event: string, ...data: unknown[]): number {
    return socketTarget(this.id).emit(event, ...data);
  }

  send(frame: string | ArrayBuffer | ArrayBufferView): void {
    const { event, data } = eventOf(frame);
    this.emit(event, data);
  }

  serializeAttachment(attachment: unknown): void {
    if (typeof attachment !== "object" || attachment === null) {
      throw new RoomError("invalid", "the attachment of a socket is its meta, an object");
    }
    const { channels, ...own } = attachment as Partial<ConnectionMeta>;
    if (channels !== undefined) this.meta.channels = channels;
    this.setMeta(own);
  }

  deserializeAttachment(): ConnectionMeta {
    return structuredClone({ ...this.meta, channels: [...this.meta.channels] });
  }

  ask(event: string, data: unknown = {}, options: AskOptions = {}): void {
    const { name = event, timeoutMs = ASK_TIMEOUT_MS, spread = false } = options;
    needText(event, "an event's name");
    needText(name, "an ask's name");
    const timeout = Math.ceil(timeoutMs);
    if (!(timeout >= 1 && timeout < 2 ** 32)) {
      throw new RoomError("invalid", "an ask waits 1 to 3600000 ms for its answer");
    }
    if (spread && !Array.isArray(data)) throw new RoomError("invalid", "an ask with `spread` takes an array of arguments");
    const body = spread ? messageOf(data as unknown[], "the data of an ask") : message(data, "the data of an ask");
    asked(() => ask(this.id, event, body, name, timeout));
  }

  join(channel: string): void {
    needText(channel, "a channel");
    touch(channel);
    asked(() => join(this.id, channel));
    noteChannel(this.id, channel, true);
  }

  leave(channel: string): void {
    needText(channel, "a channel");
    touch(channel);
    asked(() => leave(this.id, channel));
    noteChannel(this.id, channel, false);
  }

  setMeta(fields: unknown): void {
    replaceFields(this.id, fields);
  }

  close(code = 1000, reason = ""): void {
    needText(reason, "a close reason");
    if (!Number.isInteger(code) || code < 0 || code > 65_535) {
      throw new RoomError("invalid", "a close code must be 1000, 1008, 1011 to 1013 or 3000 to 4999");
    }
    touch();
    asked(() => close(this.id, code, reason));
    closing.add(this.id);
    needEnd();
  }
}

const STATES = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };

/** The global `WebSocket`: what sockets of the room are instances of. A plugin opens none itself. */
export const WebSocket = function () {
  throw new TypeError("a plugin cannot open a WebSocket: its sockets come from the server");
};
WebSocket.prototype = Socket.prototype;
for (const [name, state] of Object.entries(STATES)) Object.assign(WebSocket, { [name]: state, [`READY_STATE_${name}`]: state });
