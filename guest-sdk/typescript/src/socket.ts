/** A socket of the room. */

import type { ConnectionMeta } from "../types/index.js";
import { SocketEmit } from "./emit.js";
import { RoomError, asked } from "./errors.js";
import { close, join, leave, setFields } from "./host.js";
import { changed, metaOf, ownFields } from "./meta.js";
import { needText } from "./payload.js";

/** Those that this turn closes. */
export const closing = new Set<number>();

export function endTurn(): void {
  closing.clear();
}

export class Socket {
  /** `_left` is known of the socket whose end this turn is about. */
  constructor(
    readonly id: number,
    readonly _left = false,
  ) {}

  get readyState(): 1 | 2 | 3 {
    if (this._left) return 3;
    if (closing.has(this.id)) return 2;
    try {
      metaOf(this.id);
      return 1;
    } catch (error) {
      if (error instanceof RoomError && error.code === "no-such-socket") return 3;
      throw error;
    }
  }

  get meta(): Readonly<ConnectionMeta> {
    return metaOf(this.id);
  }

  emit(event: string, data?: unknown): number {
    return new SocketEmit(this.id).emit(event, data);
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
