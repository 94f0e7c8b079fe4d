// Verani's welcome on connect, and its ping that is answered by an emit.

import { defineRoom } from "verani";
import { answerSync, metaOf } from "./shared/query.ts";

const room = defineRoom({
  name: "welcome",
  websocketPath: "/verani/welcome",
  extractMeta: metaOf,
  onConnect(ctx) {
    ctx.emit.emit("welcome", { message: "Connected!", userId: ctx.meta.userId });
  },
});

room.on("ping", (ctx, data) => {
  ctx.emit.emit("pong", { timestamp: Date.now() });
});

answerSync(room);
