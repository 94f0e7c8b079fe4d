/** The counterpart of the Rust guest `fault_turns`: asks for everything that a turn can ask for, and then fails it. */

import { defineRoom, reject, RoomError } from "@parlor/guest";
import type { MessageContext } from "@parlor/guest";

let attempts = 0;
let restored: string | null = null;

const room = defineRoom({
  name: "turns",
  websocketPath: "/scripted",
  extractMeta(req) {
    return { userId: new URL(req.url).searchParams.get("user") ?? "somebody" };
  },
  onError(error, ctx) {
    ctx.ws?.emit("failed", { event: error.event, code: error.code, message: error.message });
  },
  onRestore(ctx, { reason }) {
    restored = reason;
    ctx.actor.emit.emit("restored", { reason, sockets: ctx.actor.getSessionCount() });
  },
});

room.on("sync", (ctx, data) => ctx.emit.emit("synced", data));

room.on("attempt", async (ctx, { how }: { how: string }) => {
  attempts += 1;
  await askForEverything(ctx);
  await end(how, ctx);
});

room.on("state", async (ctx) => {
  const { userId, clientId, channels, ...fields } = ctx.meta;
  const stored = (await ctx.actor.getStorage().get<string>("written")) ?? null;
  const [sockets, users] = [ctx.actor.getSessionCount(), ctx.actor.getConnectedUserIds()];
  ctx.emit.emit("state", { channels, fields, stored, attempts, sockets, users, restored });
});

room.on("count", async (ctx) => {
  const storage = ctx.actor.getStorage();
  const count = ((await storage.get<number>("count")) ?? 0) + 1;
  await storage.put("count", count);
  ctx.emit.emit("counted", { count });
});

async function askForEverything(ctx: MessageContext) {
  ctx.emit.emit("leak", { to: "self" });
  ctx.actor.emit.emit("leak", { to: "all" });
  ctx.join("secret");
  ctx.leave("default");
  ctx.setMeta({ leaked: true });
  await ctx.actor.getStorage().put("written", "leaked");
  ctx.close(4000, "leaked");
}

async function end(how: string, ctx: MessageContext) {
  switch (how) {
    case "error":
      throw new RoomError("fault.error", "failed on purpose");
    case "reject":
      throw reject("fault.reject", "rejected on purpose");
    case "throw":
      throw new TypeError("thrown on purpose");
    case "rejection":
      return Promise.reject(new Error("a promise was rejected on purpose"));
    case "unawaited":
      void Promise.resolve().then(() => {
        throw new Error("nobody waits for this");
      });
      return;
    case "never":
      return new Promise(() => {});
    case "spin":
      for (;;) attempts += 1;
    case "recurse":
      return recurse(1);
    case "grow":
      return grow();
    case "emits":
      for (let n = 0; n < 100; n += 1) ctx.emit.emit("leak", { n });
      return;
    default:
      throw new Error(`no way to fail is called ${how}`);
  }
}

function recurse(depth: number): number {
  return recurse(depth + 1) + 1;
}

function grow(): never {
  const kept: Uint8Array[] = [];
  for (;;) kept.push(new Uint8Array(1 << 20).fill(1));
}
