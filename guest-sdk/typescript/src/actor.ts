/** The room that the current turn belongs to. */

import type { BroadcastOptions, ConnectionMeta } from "../types/index.js";
import { pageOf, socketsIn } from "./channel.js";
import { log } from "./console.js";
import { actorEmit, typeOf } from "./emit.js";
import { RoomError, asked } from "./errors.js";
import { count, history } from "./history.js";
import { configGet, roomId, sessionCount, userIds } from "./host.js";
import { needText } from "./payload.js";
import { needHost } from "./phase.js";
import { Socket, socketBy, socketIds, socketOf } from "./socket.js";
import { storage } from "./storage.js";
import { alarm, timers } from "./timers.js";

/** The room's id, asked for once: an instance belongs to one room. */
let knownId: string | undefined;

/** The value of a key of the plugin's configuration. */
export function config(key: string): string | undefined {
  needHost("config");
  needText(key, "a key of the configuration");
  return configGet(key) ?? undefined;
}

/** A connected socket, as `actor.sessions` has it. */
class Session {
  constructor(readonly ws: Socket) {}

  /** Made when it is asked for: most who count sessions do not look at all of them. */
  get meta(): ConnectionMeta {
    return this.ws.meta;
  }
}

export const actor = {
  emit: actorEmit,

  broadcast(channel: string, data: unknown, options: BroadcastOptions = {}): number {
    const target = actor.emit.to(channel);
    const { except, userIds, clientIds } = options ?? {};
    const isAll = except === undefined && userIds === undefined && clientIds === undefined;
    return (isAll ? target : target.some(options)).emit(typeOf(data), data);
  },

  sendToUser(userId: string, channel: string, data?: unknown): number {
    return actor.emit.to(channel).some({ userIds: [userId] }).emit(typeOf(data), data);
  },

  emitToUser(userId: string, event: string, data?: unknown): number {
    return actor.emit.toUser(userId).emit(event, data);
  },

  emitToChannel(channel: string, event: string, data?: unknown): number {
    return actor.emit.to(channel).emit(event, data);
  },

  get sessions(): Map<Socket, Session> {
    const sessions = new Map<Socket, Session>();
    for (const id of socketIds(null)) {
      const ws = socketOf(id);
      sessions.set(ws, new Session(ws));
    }
    return sessions;
  },

  getUserSessions(userId: string): Socket[] {
    return socketIds(needText(userId, "a user id")).map(socketOf);
  },

  socketsIn(channel: string, { after, limit }: { after?: number; limit?: number } = {}): Socket[] {
    needText(channel, "a channel");
    const behind = after === undefined || after === null ? null : count(after, "after");
    const ids = limit === undefined ? socketsIn(channel, behind) : pageOf(channel, behind, count(limit, "limit"));
    return ids.map(socketOf);
  },

  // The host takes out whoever leaves.
  cleanupStaleSessions: (): number => 0,

  getSessionCount: (): number => asked(sessionCount),
  getConnectedUserIds: (): string[] => asked(userIds),
  getRoomId: (): string => (knownId ??= asked(roomId)),
  getStorage: () => storage,

  socket(id: number): Socket {
    if (Number.isInteger(id) && id >= 0 && id < 2 ** 32) return socketBy(id);
    throw new RoomError("invalid", "a socket is found by its id, a whole number that ctx.ws.id told");
  },

  history,
  timers,
  alarm,
  log,
  config,
};
