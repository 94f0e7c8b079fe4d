import { defineRoom, reject, RoomError } from "@parlor/guest";

let connects = 0;

const room = defineRoom({
  extractMeta(req) {
    connects += 1;
    const number = Number(new URL(req.url).searchParams.get("number") ?? "0");
    if (Number.isNaN(number)) throw new TypeError("no number");
    return number > 0 ? { userId: `${connects}-${number}` } : null;
  },
  onConnect(ctx) {
    if (ctx.meta.userId === "eve") reject("banned", "not you");
    if (ctx.meta.closed) ctx.close(3001, "full");
  },
  onDisconnect(ctx, end) {
    const reached = ctx.emit.emit("bye") + ctx.actor.emit.emit("bye");
    console.log(end.code, ctx.meta.userId, reached, ctx.actor.getSessionCount(), ctx.ws.readyState);
  },
  onMessage(ctx, frame) {
    ctx.emit.emit("fallback", { frame });
  },
  onError(error, ctx) {
    ctx.actor.emit.emit("failed", { event: error.event, code: error.code, message: error.message });
    if (error.code === "twice") throw error;
  },
});

room.on("fail", async (ctx) => {
  ctx.actor.emit.emit("seen");
  await ctx.actor.getStorage().put("key", 1);
  ctx.join("club");
  ctx.setMeta({ role: "admin" });
  ctx.actor.timers.set("tick", 1_000);
  ctx.actor.alarm.set(0);
  ctx.close(1000, "bye");
  await undefined;
  throw new RoomError("late", "too late");
});
room.on("error", (_, code: string) => {
  throw new RoomError(code, "the cat ate it", { cause: new TypeError("no food") });
});
room.on("role", (ctx) => void ctx.emit.emit("role", { role: ctx.meta.role ?? null }));
room.on("more", () => room.on("later", () => undefined));
room.on("fewer", () => {
  room.off("role");
  throw new Error("registrations are not rolled back");
});
room.on("ill-named", () => room.on("$nope", () => undefined));
room.on("order", async (ctx) => {
  await null;
  ctx.emit.emit("first");
});
room.on("order", (ctx) => void ctx.emit.emit("second"));
room.on("double", (ctx, data: { number: number }) => {
  if (typeof data.number !== "number") reject("bad-data", "a number, please");
  return ctx.emit.emit("doubled", data.number * 2);
});
