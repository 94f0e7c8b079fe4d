/** Saying things to clients. */

import type { Operations } from "./index.ts";

export const emits: Operations = {
  "emit": ({ ctx }, event, data) => ctx.emit.emit(event, data),
  "emit-to": ({ ctx }, target, event, data) => ctx.emit.to(target).emit(event, data),
  "emit-all": ({ actor }, event, data) => actor.emit.emit(event, data),
  "emit-channel": ({ actor }, channel, event, data) => actor.emit.to(channel).emit(event, data),
  "emit-except": ({ actor }, channel, clients, event, data) => actor.emit.to(channel).except(clients).emit(event, data),
  "emit-user": ({ actor }, user, event, data) => actor.emit.toUser(user).emit(event, data),
  "emit-clients": ({ actor }, clients, event, data) => actor.emit.toClients(clients).emit(event, data),
  "emit-socket": ({ actor }, socket, event, data) => actor.socket(socket).emit(event, data),
  "emit-args": ({ ctx }, event, args) => ctx.emit.emit(event, ...args),
  "ask": ({ ctx }, event, data, name, timeoutMs) => ctx.ask(event, data, { name, timeoutMs }),
  "ask-socket": ({ actor }, socket, event, data, name, timeoutMs) => actor.socket(socket).ask(event, data, { name, timeoutMs }),
  "answer": ({ ack }, value) => ack(value),
  "bytes": (_, numbers) => Uint8Array.from(numbers),
};
