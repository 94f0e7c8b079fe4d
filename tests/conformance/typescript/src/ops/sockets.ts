/** Sockets, and the room that they are in. */

import type { ConnectionMeta, Socket } from "@parlor/guest";
import type { Scene } from "../scene.ts";
import type { Operations } from "./index.ts";

function written({ userId: user, clientId: client, channels, ...fields }: ConnectionMeta): object {
  return { user, client, channels: [...channels], fields };
}

/** What a context and a socket have in common. */
function one(scene: Scene, id: number | undefined): Pick<Socket, "meta" | "join" | "leave" | "setMeta" | "close"> {
  return id === undefined ? scene.ctx : scene.actor.socket(id);
}

export const sockets: Operations = {
  "socket": ({ ctx }) => ctx.ws.id,
  "count": ({ actor }) => actor.getSessionCount(),
  "users": ({ actor }) => actor.getConnectedUserIds(),
  "sockets": ({ actor }, user) => {
    const found = user === undefined ? [...actor.sessions.keys()] : actor.getUserSessions(user);
    return found.map(({ id }) => id);
  },
  "sockets-in": ({ actor }, channel, after, limit) =>
    actor.socketsIn(channel, limit === undefined ? {} : { limit, ...(after !== null && { after }) }).map(({ id }) => id),
  "history": ({ actor }, channel, after, limit) => {
    const { entries, recovered } = actor.history.read(channel, { limit, ...(after !== null && { after }) });
    return { entries, recovered };
  },
  "position": ({ actor }, channel) => actor.history.position(channel),
  "room": ({ actor }) => actor.getRoomId(),
  "meta": (scene, id) => written(one(scene, id).meta),
  "join": (scene, channel, id) => one(scene, id).join(channel),
  "leave": (scene, channel, id) => one(scene, id).leave(channel),
  "set-fields": (scene, fields, id) => one(scene, id).setMeta(fields),
  "close": (scene, code, reason, id) => one(scene, id).close(code, reason),
};
