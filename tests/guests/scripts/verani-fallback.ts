// Verani's mix of handlers and `onMessage`: handlers first, the fallback for what they leave.

import { defineRoom } from "verani";

const room = defineRoom({
  name: "fallback",
  websocketPath: "/verani/fallback",
  onMessage(ctx, frame) {
    console.log("Unhandled event:", frame.type);
    ctx.emit.emit("error", { message: `Unknown event: ${frame.type}` });
  },
});

room.on("chat.message", (ctx, data) => {
  ctx.actor.emit.to("default").emit("chat.message", data);
});

room.on("ping", (ctx, data) => {
  ctx.emit.emit("pong", { timestamp: Date.now() });
});
