/** A room that does with what it hears all that rooms do: it trusts nobody's data, and catches nothing. */

import { defineRoom, reject } from "@parlor/guest";

const room = defineRoom({
  name: "listener",
  websocketPath: "/listener",
  onDisconnect(ctx) {
    console.log("left", ctx.meta);
  },
});

const seen = new Map<unknown, unknown>();

type Act = (ctx: any, data: any) => unknown;
const ACTS: Act[] = [
  (ctx, data) => ctx.emit.emit("echo", data),
  (ctx, data) => ctx.emit.emit("spread", { ...data, last: 1 }),
  (ctx, data) => ctx.emit.emit(String(data?.name ?? data), data),
  (ctx, data) => ctx.emit.to(String(data?.name ?? data)).emit("to", data),
  (ctx, data) => ctx.emit.emit("clone", structuredClone(data)),
  (ctx, data) => ctx.emit.emit("again", JSON.parse(JSON.stringify(data ?? null))),
  (ctx, data) => ctx.actor.getStorage().put(`k/${data?.name ?? data}`, data),
  async (ctx, data) => {
    const storage = ctx.actor.getStorage();
    await storage.put("last", data);
    const [last, all] = await Promise.all([storage.get("last"), storage.list({ prefix: String(data?.name ?? ""), limit: 5 })]);
    ctx.emit.emit("kept", { last, names: [...all.keys()] });
    await storage.delete([...all.keys()]);
  },
  (ctx, data) => ctx.actor.timers.set(String(data?.name ?? data), 1, data),
  (ctx, data) => Object.assign(ctx.meta, { status: data }),
  (_ctx, data) => console.log("heard", data, [data], { data }, String(data)),
  (_ctx, data) => console.table(data),
  (_ctx, data) => console.error(new Error(String(data?.name ?? data), { cause: data })),
  (_ctx, data) => reject(String(data?.name ?? data), String(data)),
  (_ctx, data) => {
    throw data;
  },
  (_ctx, data) => {
    throw Object.assign(new Error("with data"), data);
  },
  (ctx, data) => ctx.emit.emit("keys", Object.entries(data ?? {}).sort().map(([key, value]) => `${key}=${value}`)),
  (ctx, data) => {
    const walk = (value: any): number => (typeof value === "object" && value !== null ? Object.values(value).reduce((sum: number, item) => sum + walk(item), 1) : 1);
    ctx.emit.emit("size", walk(data));
  },
  (ctx, data) => ctx.emit.emit("text", JSON.stringify(data)?.replace(/[^\x20-\x7e]|(["\\])/g, "?$1").slice(0, 100)),
  (ctx, data) => {
    seen.set(data?.name ?? data, data);
    if (seen.size > 20) seen.delete(seen.keys().next().value);
    ctx.emit.emit("seen", [...seen.keys()]);
  },
  (ctx, data) => {
    const merged: any = {};
    // A room that wrote to `Object.prototype` here would fail for everybody from then on, in any engine.
    const merge = (into: any, from: any) => {
      for (const key of Object.keys(from ?? {}).filter((name) => name !== "__proto__")) {
        if (typeof from[key] !== "object") into[key] = from[key];
        else merge((into[key] = Object.hasOwn(into, key) ? Object(into[key]) : {}), from[key]);
      }
    };
    merge(merged, data);
    ctx.emit.emit("merged", merged);
  },
  async (ctx, data) => {
    for await (const item of data ?? []) ctx.emit.emit("item", item);
  },
  (ctx, data) => ctx.emit.emit("date", [new Date(data), Number(data), BigInt(Math.trunc(Number(data?.n ?? 1))).toString()]),
  (_ctx, data) => new RegExp(String(data?.name ?? data), "u").test(JSON.stringify(data)),
  (ctx, data) => ctx.emit.emit("bytes", new Uint8Array(data)),
  (ctx, data) => ctx.ws.close(Number(data?.n ?? 4000), String(data?.name ?? data)),
  (_ctx, data) => data,
  (_ctx, data) => new Promise((resolve) => setTimeout(resolve, Number(data?.n ?? 1))),
  (_ctx, data) => Promise.reject(data),
  (ctx, data) => ctx.actor.emitToUser(String(data?.name ?? data), "user", data),
];

room.on("ping?", (ctx, data) => ctx.emit.emit("pong!", data));
room.onTimer("tick", (ctx, data) => ctx.actor.emit.emit("tick", data));
for (const [at, act] of ACTS.entries()) room.on(`act${at}`, act);
// Names that are something in JavaScript, or nothing that one would call an event.
const NAMES = ["__proto__", "constructor", "toString", "then", "length", "type", "data", "../../..", "[object Object]", "é\u{1f600}\u{202e}"];
for (const name of NAMES) room.on(name, (ctx, data) => ACTS[Math.floor(Math.random() * ACTS.length)]!(ctx, data));
