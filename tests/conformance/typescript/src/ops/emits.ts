/** Saying things to clients. */

import { createActorHandler } from "@parlor/guest";
import type { Operations } from "./index.ts";

/** What is left where a condition is `null`. */
function given(conditions: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(conditions).filter(([, value]) => value !== null));
}

export const emits: Operations = {
  "emit": ({ ctx }, event, data) => ctx.emit.emit(event, data),
  "emit-to": ({ ctx }, target, event, data) => ctx.emit.to(target).emit(event, data),
  "emit-all": ({ actor }, event, data) => actor.emit.emit(event, data),
  "emit-channel": ({ actor }, channel, event, data) => actor.emit.to(channel).emit(event, data),
  "emit-except": ({ actor }, channel, clients, event, data) => actor.emit.to(channel).except(clients).emit(event, data),
  // Verani's names the event in the data.
  "emit-some": ({ actor }, channel, userIds, clientIds, except, type, data) =>
    actor.broadcast(channel, { ...data, type }, given({ userIds, clientIds, except })),
  "emit-room": async ({ room: definition }, room, channel, userIds, clientIds, type, data) => {
    const other = createActorHandler(definition).get(room);
    if (channel === null) await other.emitToUser(userIds?.[0], type, data);
    else if (userIds === null && clientIds === null) await other.emitToChannel(channel, type, data);
    else await other.broadcast(channel, { ...data, type }, given({ userIds, clientIds }));
  },
  "emit-user": ({ actor }, user, event, data) => actor.emit.toUser(user).emit(event, data),
  "emit-clients": ({ actor }, clients, event, data) => actor.emit.toClients(clients).emit(event, data),
  "emit-socket": ({ actor }, socket, event, data) => actor.socket(socket).emit(event, data),
  "emit-args": ({ ctx }, event, args) => ctx.emit.emit(event, ...args),
  "ask": ({ ctx }, event, data, name, timeoutMs) => ctx.ask(event, data, { name, timeoutMs }),
  "ask-socket": ({ actor }, socket, event, data, name, timeoutMs) => actor.socket(socket).ask(event, data, { name, timeoutMs }),
  "answer": ({ ack }, value) => ack(value),
  "bytes": (_, numbers) => Uint8Array.from(numbers),
};
