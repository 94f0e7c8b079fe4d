/**
 * The counterpart of the Rust guests of the swap tests: a further version of the same plugin, which takes over what those
 * leave and leaves what they take.
 */

import { config, defineRoom } from "@parlor/guest";

const VERSION = "script";

interface Memory {
  seq: number;
  resumed: boolean;
  restored: string | null;
}

const memory: Memory = { seq: 0, resumed: false, restored: null };

function next(): number {
  memory.seq += 1;
  return memory.seq;
}

const room = defineRoom({
  name: "swap",
  websocketPath: "/swap",
  extractMeta(req) {
    const query = new URL(req.url).searchParams;
    const channels = query.get("in")?.split(",");
    return { userId: query.get("user") ?? "somebody", clientId: query.get("client") ?? crypto.randomUUID(), channels };
  },
  onRestore(_, restore) {
    memory.restored = restore.reason;
  },
});

room.on("sync", (ctx, data) => ctx.emit.emit("synced", data));
room.on("say", async (ctx, { n }: { n: number }) => {
  ctx.actor.emit.emit("said", { n, version: VERSION, seq: next() });
});
room.on("state", (ctx) => ctx.emit.emit("state", { version: VERSION, ...memory }));
room.on("set-timer", (ctx, { name, ms }: { name: string; ms: number }) => {
  ctx.actor.timers.set(name, ms);
  ctx.emit.emit("timer-set", { name });
});
room.onTimer("t", (ctx) => {
  ctx.actor.emit.emit("timer", { name: "t", version: VERSION, seq: next() });
});
room.onSuspend("counter/1", () => ({ seq: memory.seq }));
room.onResume("counter/1", (_, { seq }: { seq: number }) => {
  if (config("resume") === "refuse") throw new Error("refused on purpose");
  memory.seq = seq;
  memory.resumed = true;
});
