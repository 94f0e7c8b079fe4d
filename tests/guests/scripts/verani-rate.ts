// Verani's rate limit: a wildcard that counts each user's events in the room's storage.

import { defineRoom } from "verani";
import { metaOf } from "./shared/query.ts";

/** Verani's example says 100; a test need not send so many. */
const EVENTS_MAX = 3;

const room = defineRoom({ name: "rate", websocketPath: "/verani/rate", extractMeta: metaOf });

room.on("*", async (ctx, data) => {
  const key = `rate:${ctx.meta.userId}`;
  const storage = ctx.actor.getStorage();
  const count = (await storage.get<number>(key)) || 0;
  if (count >= EVENTS_MAX) {
    ctx.emit.emit("error", { message: "Rate limit exceeded" });
    return;
  }
  await storage.put(key, count + 1);
  ctx.emit.emit("counted", count + 1);
});
