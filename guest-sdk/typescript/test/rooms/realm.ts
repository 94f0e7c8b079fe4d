/** What a module finds around it in a test room: what it finds in a component. */

import { defineRoom } from "@parlor/guest";

const global = globalThis as any;
let count = 0;

async function nothing(): Promise<void> {}

const room = defineRoom();
room.on("globals", (ctx) => {
  const missing = ["Intl", "WebAssembly", "process", "Buffer", "require", "fetch", "parlorOutside"];
  const there = ["URL", "Headers", "TextEncoder", "structuredClone", "atob", "DOMException", "queueMicrotask", "performance"];
  ctx.emit.emit("globals", {
    missing: missing.filter((name) => name in global),
    there: there.filter((name) => !(name in global)),
    own: [nothing() instanceof Promise, ctx.actor.getConnectedUserIds() instanceof Array, ctx.meta.constructor === Object],
  });
});
room.on("leave", () => {
  count += 1;
  global.left = count;
  (Array.prototype as any).left = count;
});
room.on("left", (ctx) => void ctx.emit.emit("left", [count, global.left ?? null, ([] as any).left ?? null]));
room.on("time", (ctx) => void ctx.emit.emit("time", [Date.now(), new Date().toISOString(), new Date(0).getTime()]));
room.on("random", (ctx) => void ctx.emit.emit("random", [Math.random(), crypto.randomUUID()]));
room.on("wait", async (ctx) => {
  const order: string[] = [];
  setTimeout(() => order.push("late"), 2_000);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  order.push("soon");
  await Promise.all([nothing(), nothing().then(() => order.push("then"))]);
  ctx.emit.emit("waited", order);
});
room.on("never", () => new Promise(() => undefined));
room.on("words", async (ctx, text: string) => {
  await ctx.actor.getStorage().put(text, text);
  ctx.emit.emit("words", (await ctx.actor.getStorage().get(text)) ?? null);
});
