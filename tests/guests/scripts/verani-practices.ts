// Verani's best practices: named functions as handlers, each event its own; the emit API and the explicit calls; typed meta
// and data.

import { defineRoom, reject } from "verani";
import { answerSync, metaOf } from "./shared/query.ts";

interface ChatMeta extends ConnectionMeta {
  username: string;
}

const room = defineRoom<ChatMeta>({
  name: "practices",
  websocketPath: "/verani/practices",
  extractMeta(req) {
    const username = new URL(req.url).searchParams.get("username") ?? "";
    return { ...metaOf(req), username };
  },
});

function handleUserJoin(ctx: MessageContext<ChatMeta>, channel: string): void {
  ctx.join(channel);
  ctx.actor.emit.to(channel).emit("joined", { channel });
}

function handleUserLeave(ctx: MessageContext<ChatMeta>, channel: string): void {
  ctx.leave(channel);
  ctx.emit.emit("left", { channel });
}

// Types are gone when it runs: what a client sends is looked at where it matters.
function handleMessageSend(ctx: MessageContext<ChatMeta>, data: { text: string }): void {
  if (typeof data.text !== "string") reject("bad-data", "text must be a text");
  ctx.actor.emit.to("default").emit("chat.message", { from: ctx.meta.username, text: data.text });
}

room.on("user.join", handleUserJoin);
room.on("user.leave", handleUserLeave);
room.on("message.send", handleMessageSend);

room.on("notify", (ctx, { userId }) => {
  ctx.emit.to(userId).emit("notification", { by: "ctx.emit.to" });
  ctx.actor.sendToUser(userId, "default", { type: "notification", by: "actor.sendToUser" });
});

room.on("update", (ctx, data) => {
  ctx.actor.emit.to("default").emit("update", data);
  ctx.actor.broadcast("default", { type: "update", ...data });
});

answerSync(room);
