// Verani's basic handlers: messages and typing go to everybody in the default channel.

import { defineRoom } from "verani";
import { answerSync, metaOf } from "./shared/query.ts";

const room = defineRoom({ name: "basics", websocketPath: "/verani/basics", extractMeta: metaOf });

room.on("chat.message", (ctx, data) => {
  const message = { from: ctx.meta.userId, text: data.text, timestamp: Date.now() };
  ctx.actor.emit.to("default").emit("chat.message", message);
});

room.on("user.typing", (ctx, data) => {
  ctx.actor.emit.to("default").emit("user.typing", { userId: ctx.meta.userId, isTyping: data.isTyping });
});

answerSync(room);
