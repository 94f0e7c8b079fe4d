/** A room by Verani's API, with what its server has beside handlers and emits. */

import {
  createActorHandler,
  createRoomEventEmitter,
  decodeFrame,
  defineRoom,
  encodeFrame,
  PROTOCOL_VERSION,
  restoreSessions,
  storeAttachment,
} from "@parlor/guest";
import type { ActorStub, ConnectionMeta, DurableObjectTransaction, MessageContext, RoomContext, VeraniActor } from "@parlor/guest";

interface Meta extends ConnectionMeta {
  status: string;
  seen: { count: number };
}

const emitter = createRoomEventEmitter<Meta>();

export const room = defineRoom<Meta, { SECRET: string }>({
  websocketPath: "/ws",
  eventEmitter: emitter,
  extractMeta(req: Request) {
    const query = new URL(req.url).searchParams;
    const userId = query.get("user") ?? "ana";
    return {
      userId,
      clientId: query.get("client") ?? crypto.randomUUID(),
      channels: ["default"],
      status: "online",
      seen: { count: 0 },
    };
  },
  onConnect(ctx: RoomContext<Meta, { SECRET: string }>) {
    ctx.ws.send(JSON.stringify({ type: "welcome", data: { sessions: ctx.actor.sessions.size } }));
  },
  onDisconnect(ctx) {
    ctx.meta.status = "gone";
    const left = ctx.actor.getUserSessions(ctx.meta.userId).length;
    ctx.actor.emitToChannel("default", "left", { who: ctx.meta.userId, left, has: ctx.actor.sessions.has(ctx.ws) });
  },
  onMessage(ctx, frame) {
    ctx.ws.send(encodeFrame({ type: "unknown", data: { type: frame.type, status: ctx.meta.status } }));
  },
  onError(error, ctx) {
    ctx.emit.emit("failed", { message: error.message, status: ctx.meta.status });
    ctx.ws.send(JSON.stringify({ type: "sorry" }));
  },
  async onHibernationRestore(actor: VeraniActor<Meta>) {
    restoreSessions(actor);
    for (const session of actor.sessions.values()) {
      session.ws.send(JSON.stringify({ type: "restored", data: { status: session.meta.status } }));
    }
  },
});

const Rooms = createActorHandler(room);

room.on("status", (ctx, status: string) => {
  ctx.meta.status = status;
  ctx.meta.seen.count += 1;
  ctx.actor.broadcast("default", { type: "status", who: ctx.meta.userId, status }, { except: ctx.ws });
});
room.on("show", (ctx) => {
  const { meta, ws, actor } = ctx;
  const same = actor.sessions.get(ws)?.meta === meta && actor.getUserSessions(meta.userId).includes(ws);
  ctx.emit.emit("shown", { meta, same, open: ws.readyState === WebSocket.OPEN });
});
room.on("fail", (ctx, how: string) => {
  ctx.meta.status = "lost";
  ctx.meta.channels.push("lost");
  if (how === "id") return void (ctx.meta.userId = "eve");
  throw new Error("the cat ate it");
});
room.on("large", (ctx) => {
  ctx.meta.status = "x".repeat(5_000);
});
room.on("tune", (ctx, channel: string) => {
  if (ctx.meta.channels.includes(channel)) ctx.meta.channels.splice(ctx.meta.channels.indexOf(channel), 1);
  else ctx.meta.channels.push(channel);
  ctx.emit.emit("tuned", { sent: ctx.actor.broadcast(channel, { type: "tuning", channel }) });
});
room.on("retune", (ctx, channels: string[]) => {
  ctx.meta.channels = channels;
  storeAttachment(ctx.ws, { ...ctx.meta, status: "tuned" });
});
room.on("some", (ctx, { users, clients }: { users?: string[]; clients?: string[] }) => {
  const { actor } = ctx;
  const sent = actor.broadcast("default", { type: "some" }, { userIds: users!, clientIds: clients!, except: ctx.ws });
  const none = actor.sendToUser("bo", "elsewhere", { type: "none" });
  ctx.emit.emit("sent", { sent, none, all: actor.emitToUser("bo", "all", 0), stale: actor.cleanupStaleSessions() });
});
room.on("kick", (ctx, user: string) => {
  for (const ws of ctx.actor.getUserSessions(user)) ws.close(1008, "kicked");
  ctx.emit.emit("kicked", { left: ctx.actor.sessions.size });
});
room.on("frames", (ctx) => {
  const frames = [decodeFrame('{"type":"a","data":0}'), decodeFrame("no"), decodeFrame('{"type":1}'), decodeFrame("null")];
  ctx.emit.emit("frames", { frames, version: PROTOCOL_VERSION });
});
room.on("again", (ctx: MessageContext<Meta>, data) => room.emit("show", ctx, data));

const tell = async (stub: ActorStub) => [
  await stub.emitToUser("bo", "told", { by: "user" }),
  await stub.emitToChannel("default", "told", { by: "channel" }),
  await stub.broadcast("default", { type: "told", by: "some" }, { userIds: ["bo"] }),
  await stub.sendToUser("bo", "default", { type: "told", by: "both" }),
];
room.on("tell", async (ctx, id: string) => {
  const stub = Rooms.get(id);
  const told = await tell(stub);
  const count = await stub.getSessionCount().catch((error: Error) => error.message);
  ctx.emit.emit("told all", { told, count, users: await stub.getConnectedUserIds().catch(() => null) });
});
room.on("tell null", async () => {
  const stub = Rooms.get("lobby");
  await stub.emitToChannel("default", "nothing", null);
  await stub.emitToChannel("default", "none");
  await stub.emitToChannel("default", 5 as any, { bytes: new Uint8Array([1]) }).catch(() => {});
  await stub.emitToChannel("default", "after", { n: 2 });
});

room.on("storage", async (ctx, steps: [name: string, ...args: any[]][]) => {
  const storage: DurableObjectStorage = ctx.actor.getStorage();
  const seen: unknown[] = [];
  for (const [name, ...args] of steps) {
    const result = await (storage as any)[name](...args);
    seen.push(result instanceof Map ? [...result] : (result ?? null));
  }
  ctx.emit.emit("stored", { seen });
});
room.on("transaction", async (ctx, how: string) => {
  const storage = ctx.actor.getStorage();
  await storage.put({ a: 1, b: 2 });
  let kept: DurableObjectTransaction | undefined;
  const done = storage.transaction(async (txn) => {
    kept = txn;
    await txn.put("a", 10);
    await txn.put({ c: 3, d: 4 });
    await txn.delete("b");
    await txn.setAlarm(5_000_000);
    if (how === "throw") throw new Error("no");
    if (how === "rollback") txn.rollback();
    return [...(await storage.list()).keys()];
  });
  const keys = await done.catch((error: Error) => error.message);
  const late = await kept!.put("e", 5).catch((error: { code: string }) => error.code);
  ctx.emit.emit("done", { keys, all: Object.fromEntries(await storage.list()), alarm: await storage.getAlarm(), late });
});
room.on("count", async (ctx) => {
  const storage = ctx.actor.getStorage();
  const add = () =>
    storage.transaction(async (txn) => {
      const count = (await txn.get<number>("count")) ?? 0;
      await txn.put("count", count + 1);
      return count + 1;
    });
  ctx.emit.emit("counted", { counts: await Promise.all([add(), add(), add()]) });
});
