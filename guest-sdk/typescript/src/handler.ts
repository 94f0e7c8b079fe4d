/** `createActorHandler`: other rooms, as a handler can speak to them. */

import type { RpcBroadcastOptions } from "../types/index.js";
import { actor } from "./actor.js";
import { idsOf, typeOf } from "./emit.js";
import { RoomError, asked } from "./errors.js";
import { toRoom } from "./host.js";
import { message } from "./message.js";
import { needText } from "./payload.js";
import { promised } from "./storage.js";

/** Whom in another room an emit is for. */
interface Whom {
  channel?: string;
  userIds?: readonly string[] | undefined;
  clientIds?: readonly string[] | undefined;
}

/** A room by its id: this one, another one of this plugin, or `PLUGIN/ROOM` of the same tenant. */
class Stub {
  constructor(readonly _room: string) {}

  emitToChannel(channel: string, event: string, data?: unknown): Promise<number> {
    return this._say({ channel: needText(channel, "a channel") }, event, data);
  }

  emitToUser(userId: string, event: string, data?: unknown): Promise<number> {
    return this._say({ userIds: [needText(userId, "a user id")] }, event, data);
  }

  sendToUser(userId: string, channel: string, data?: unknown): Promise<number> {
    return this._say({ channel: needText(channel, "a channel"), userIds: [userId] }, typeOf(data), data);
  }

  broadcast(channel: string, data: unknown, options: RpcBroadcastOptions = {}): Promise<number> {
    const { userIds, clientIds } = options ?? {};
    return this._say({ channel: needText(channel, "a channel"), userIds, clientIds }, typeOf(data), data);
  }

  getSessionCount(): Promise<number> {
    return this._asked("getSessionCount", actor.getSessionCount);
  }

  getConnectedUserIds(): Promise<string[]> {
    return this._asked("getConnectedUserIds", actor.getConnectedUserIds);
  }

  cleanupStaleSessions(): Promise<number> {
    return this._asked("cleanupStaleSessions", actor.cleanupStaleSessions);
  }

  fetch(_request: unknown): Promise<never> {
    return promised(() => {
      throw new RoomError("invalid", "the server itself hands connections to rooms: by the plugin's path, and `?room=`");
    });
  }

  /** Another room hears it when this turn has committed. How many sockets that will be nobody knows yet: `NaN`. */
  _say({ channel, userIds, clientIds }: Whom, event: string, data: unknown): Promise<number> {
    return promised(() => {
      if (this._room === actor.getRoomId()) {
        if (channel === undefined) return actor.emit.toUser(userIds![0]!).emit(event, data);
        return actor.emit.to(channel).some({ userIds, clientIds } as RpcBroadcastOptions).emit(event, data);
      }
      // The bytes go last: what is refused before has handed nothing over.
      const [users, clients] = [idsOf(userIds, "userIds"), idsOf(clientIds, "clientIds")];
      const name = needText(event, "an event's name");
      const body = message(data === undefined ? {} : data, "the data of an emit");
      asked(() => toRoom(this._room, channel ?? null, users, clients, name, body));
      return NaN;
    });
  }

  /** What this room is asked, it answers; another one runs beside this turn, which cannot wait for it. */
  _asked<T>(what: string, answer: () => T): Promise<T> {
    return promised(() => {
      if (this._room === actor.getRoomId()) return answer();
      throw new RoomError(
        "invalid",
        `${what}: a turn cannot wait for another room (${this._room}). Let it emit what it knows into this one, or ask ` +
          `for it from outside, at /_parlor/api/rooms`,
      );
    });
  }
}

const stubs = { get: (id: string) => new Stub(needText(id, "a room's id")) };

/** The rooms of this plugin: `createActorHandler(room).get(id)` is one of them. */
export function createActorHandler(room: unknown): unknown {
  if (typeof room !== "object" || room === null) {
    throw new RoomError("invalid", "createActorHandler takes the room that defineRoom made");
  }
  return class ActorHandler {
    static get(id: string): Stub {
      return stubs.get(id);
    }

    static getByName(id: string): Stub {
      return stubs.get(id);
    }

    static idFromName(id: string): string {
      return id;
    }

    static configuration(): { path: string } {
      return { path: (room as { websocketPath?: string }).websocketPath ?? "/ws" };
    }
  };
}

/** Keeps a meta with its socket, as writing to `ctx.meta` does. */
export function storeAttachment(ws: { serializeAttachment(meta: unknown): void }, meta: unknown): void {
  ws.serializeAttachment(meta);
}

/** The sessions of a room are always there: there is nothing to restore. */
export function restoreSessions(_actor: unknown): void {}
