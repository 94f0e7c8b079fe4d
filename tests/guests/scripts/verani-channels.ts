// Verani's emits to a channel: of the socket (`ctx.emit.to`) and of the actor, with their counts.

import { defineRoom } from "verani";
import { answerSync, metaOf } from "./shared/query.ts";

const room = defineRoom({ name: "channels", websocketPath: "/verani/channels", extractMeta: metaOf });

room.on("channel.message", (ctx, data) => {
  const channel = data.channel || "default";
  const sent = ctx.emit.to(channel).emit("message", { from: ctx.meta.userId, text: data.text });
  ctx.emit.emit("sent", sent);
});

room.on("room.message", (ctx, { roomId, text }) => {
  const sent = ctx.actor.emit.to(roomId).emit("message", { from: ctx.meta.userId, text, roomId });
  ctx.emit.emit("sent", sent);
});

room.on("announcement", (ctx, data) => {
  const sent = ctx.actor.emit.emit("announcement", { message: data.message, timestamp: Date.now() });
  console.log(`sent to ${sent} connections`);
  ctx.emit.emit("sent", sent);
});

answerSync(room);
