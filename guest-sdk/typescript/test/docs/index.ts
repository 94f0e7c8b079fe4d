/** The room of the examples in `types/testing.d.ts`. */

import { answer, createActorHandler, defineRoom, reject, Rejection } from "@parlor/guest";

let count = 0;

const room = defineRoom({
  extractMeta(req) {
    const token = new URL(req.url).searchParams.get("token");
    if (token === "wrong") throw new Rejection(403, "who are you?");
    return token === null ? null : { userId: token };
  },
});
room.on("chat.message", (ctx, data: { text: string }) => void ctx.actor.emit.emit("chat.message", data));
room.on("count", (ctx) => {
  count += 1;
  ctx.emit.emit("count", { count });
});
room.onSuspend("count/1", () => count);
room.onResume("count/1", (_, saved: number) => {
  count = saved;
});
room.on("tick", (ctx) => ctx.actor.timers.set("tick", 1_000, 1));
room.onTimer("tick", (ctx, number: number) => {
  ctx.actor.emit.emit("tick", { number });
  ctx.actor.timers.set("tick", 1_000, number + 1);
});
room.on("wake.me", (ctx) => ctx.actor.alarm.set(Date.now() + 60_000));
room.on("now", () => answer(Date.now()));
room.on("double", (_, { number }: { number: number }) => {
  if (typeof number !== "number") reject("not-a-number", "a number, please");
  return answer(number * 2);
});
room.on("score", (ctx, points: number) => ctx.actor.getStorage().put("scores", { [ctx.meta.userId]: points }));
room.on("image", (ctx, bytes: number[]) => ctx.actor.getStorage().putBytes("image", Uint8Array.from(bytes)));
room.on("start", (ctx, data) => {
  const bob = 2;
  ctx.actor.socket(bob).ask("ready?", data, { timeoutMs: 1_000 });
});
room.onAck("ready?", (ctx, answer) => void ctx.actor.emit.emit("answer", { from: ctx.ws.id, ...answer }));
room.on("fail", () => {
  throw new Error("the cat ate it");
});
room.on("leave", (ctx) => ctx.close(4000, "bye"));
const rooms = createActorHandler(room);
room.on("tell", async (_, id: string) => void (await rooms.get(id).emitToChannel("default", "told")));
