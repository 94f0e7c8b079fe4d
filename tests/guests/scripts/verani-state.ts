// What a Verani room keeps: metas that handlers write to, sessions, transactions, and words for other rooms.
import { createActorHandler, defineRoom } from "verani";
import type { ConnectionMeta } from "verani";

interface Meta extends ConnectionMeta {
  status: string;
  tags: string[];
}

export const room = defineRoom<Meta>({
  name: "state",
  websocketPath: "/state",
  extractMeta(req) {
    const query = new URL(req.url).searchParams;
    const userId = query.get("user") ?? "ana";
    return { userId, clientId: query.get("client") ?? userId, channels: ["default"], status: "online", tags: [] };
  },
  onError(error, ctx) {
    ctx.ws.send(JSON.stringify({ type: "failed", data: { message: error.message, status: ctx.meta.status } }));
  },
  onHibernationRestore(actor) {
    for (const { ws, meta } of actor.sessions.values()) {
      ws.send(JSON.stringify({ type: "restored", data: { user: meta.userId, status: meta.status } }));
    }
  },
});
export const StateRoom = createActorHandler(room);

room.on("status", (ctx, status: string) => {
  ctx.meta.status = status;
  ctx.meta.tags.push(status);
  ctx.meta.channels.push(status);
  ctx.actor.broadcast(status, { type: "status", status });
  if (status === "lost") throw new Error("the turn is lost");
});
room.on("sync", (ctx, data) => void ctx.emit.emit("synced", data));
room.on("show", (ctx) => {
  const { status, tags, channels } = ctx.meta;
  const users = Array.from(ctx.actor.sessions.values(), ({ meta }) => `${meta.userId} ${meta.status}`);
  const own = ctx.actor.getUserSessions(ctx.meta.userId).includes(ctx.ws);
  ctx.emit.emit("shown", { status, tags, channels, users, own });
});
room.on("some", (ctx, options: { userIds?: string[]; clientIds?: string[] }) => {
  const sent = ctx.actor.broadcast("default", { type: "some" }, { ...options, except: ctx.ws });
  ctx.emit.emit("sent", { sent, one: ctx.actor.sendToUser("bo", "default", { type: "one" }) });
});
room.on("trap", () => {
  for (;;);
});
room.on("pay", async (ctx, amount: number) => {
  const storage = ctx.actor.getStorage();
  await storage.put("paid", amount);
  const done = await storage
    .transaction(async (txn) => {
      const left = ((await txn.get<number>("left")) ?? 10) - amount;
      await txn.put("left", left);
      if (left < 0) throw new Error("not enough");
      return left;
    })
    .catch((error: Error) => error.message);
  ctx.emit.emit("paid", { done, stored: Object.fromEntries(await storage.list({ reverse: true })) });
});
room.on("tell", async (ctx, { id, lost }: { id: string; lost: boolean }) => {
  await StateRoom.get(id).emitToUser("bo", "told", { by: ctx.meta.userId });
  await StateRoom.get(id).broadcast("default", { type: "told all" }, { clientIds: ["bo"] });
  ctx.emit.emit("telling");
  if (lost) throw new Error("never said");
});
// The entry of a Worker: its routes only hand connections to the room, which the server does itself.
export default {
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname.startsWith("/state")) {
      const stub = StateRoom.get("default");
      return stub.fetch(request);
    }
    return new Response("Not Found", { status: 404 });
  },
};
