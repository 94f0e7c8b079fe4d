// Verani's wildcard: every event is logged, behind the handlers of its own.

import { defineRoom } from "verani";
import { metaOf } from "./shared/query.ts";

const room = defineRoom({
  name: "wildcard",
  websocketPath: "/verani/wildcard",
  extractMeta: metaOf,
  onMessage(ctx) {
    ctx.emit.emit("fallback", {});
  },
  onDisconnect() {
    console.log("one went");
  },
});

room.on("*", (ctx, data) => {
  const { type } = ctx.frame;
  console.log(`Event: ${type} of ${ctx.meta.userId} with ${JSON.stringify(data)}`);
  ctx.emit.emit("logged", { event: type, data });
});

room.on("move", (ctx) => {
  ctx.emit.emit("moved", {});
});
