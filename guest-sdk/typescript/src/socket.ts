/** A socket of the room. */

import type { AskOptions, ConnectionMeta } from "../types/index.js";
import { SocketEmit } from "./emit.js";
import { RoomError, asked } from "./errors.js";
import { ask, close, join, leave, setFields } from "./host.js";
import { message, messageOf } from "./message.js";
import { changed, freshMetaOf, metaOf, ownFields } from "./meta.js";
import { needText } from "./payload.js";

/** Those that this turn closes. */
const closing = new Set<number>();
/** Those that this turn knows to be in the room. Any other may have left since its meta was kept. */
const present = new Set<number>();

/** How long an ask waits that says nothing of it. */
const ASK_TIMEOUT_MS = 10_000;

export function endTurn(): void {
  if (closing.size > 0) closing.clear();
  if (present.size > 0) present.clear();
}

export class Socket {
  /** `_left` is known of the socket that this turn is about. */
  constructor(
    readonly id: number,
    readonly _left?: boolean,
  ) {
    if (_left === false) present.add(id);
  }

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

  get meta(): Readonly<ConnectionMeta> {
    if (this._left || present.has(this.id)) return metaOf(this.id);
    const meta = freshMetaOf(this.id);
    present.add(this.id);
    return meta;
  }

  emit(event: string, ...data: unknown[]): number {
    return new SocketEmit(this.id).emit(event, ...data);
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
    change(this.id, () => join(this.id, channel));
  }

  leave(channel: string): void {
    needText(channel, "a channel");
    change(this.id, () => leave(this.id, channel));
  }

  setMeta(fields: unknown): void {
    const text = ownFields(this.id, fields);
    change(this.id, () => setFields(this.id, text));
  }

  close(code = 1000, reason = ""): void {
    needText(reason, "a close reason");
    if (!Number.isInteger(code) || code < 0 || code > 65_535) {
      throw new RoomError("invalid", "a close code must be 1000, 1008, 1011 to 1013 or 3000 to 4999");
    }
    asked(() => close(this.id, code, reason));
    closing.add(this.id);
  }
}

function change(id: number, call: () => void): void {
  changed(id);
  asked(call);
}
