/** The room that the current turn belongs to. */

import type { BroadcastOptions } from "../types/index.js";
import { log } from "./console.js";
import { ActorEmit, emitTyped } from "./emit.js";
import { RoomError, asked } from "./errors.js";
import { configGet, roomId, sessionCount, userIds } from "./host.js";
import { needText } from "./payload.js";
import { needHost } from "./phase.js";
import { Socket } from "./socket.js";
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

export const actor = {
  emit: new ActorEmit(),

  broadcast(channel: string, data: unknown, options: BroadcastOptions = {}): number {
    const target = actor.emit.to(channel);
    return emitTyped(options.except === undefined ? target : target.except(options.except), data);
  },

  // Verani's API has the parameter `channel`; an emit to a user goes to all of the user's sockets.
  sendToUser(userId: string, _channel: string, data: unknown): number {
    return emitTyped(actor.emit.toUser(userId), data);
  },

  getSessionCount: (): number => asked(sessionCount),
  getConnectedUserIds: (): string[] => asked(userIds),
  getRoomId: (): string => (knownId ??= asked(roomId)),
  getStorage: () => storage,

  socket(id: number): Socket {
    if (Number.isInteger(id) && id >= 0 && id < 2 ** 32) return new Socket(id);
    throw new RoomError("invalid", "a socket is found by its id, a whole number that ctx.ws.id told");
  },

  timers,
  alarm,
  log,
  config,
};
