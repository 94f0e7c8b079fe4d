// Verani's removal of handlers: one of an event, or all of it, while the room lives.

import { defineRoom } from "verani";
import { answerSync } from "./shared/query.ts";

const room = defineRoom({
  name: "removal",
  websocketPath: "/verani/removal",
  onMessage(ctx, frame) {
    ctx.emit.emit("fallback", {});
  },
});

const first = (ctx, data) => ctx.emit.emit("first", {});
const second = (ctx, data) => ctx.emit.emit("second", {});
const third = (ctx, data) => ctx.emit.emit("third", {});
room.on("chat.message", first);
room.on("chat.message", second);

room.on("remove.first", (ctx, data) => {
  ctx.emit.emit("removed", room.off("chat.message", first));
});
room.on("remove.all", (ctx, data) => {
  ctx.emit.emit("removed", room.off("chat.message"));
});
room.on("add.third", (ctx, data) => {
  room.on("chat.message", third);
});

// Removes itself: the event that is running keeps the handlers that it began with.
room.on("once", (ctx, data) => {
  room.off("once");
  ctx.emit.emit("once.first", {});
});
room.on("once", (ctx, data) => {
  ctx.emit.emit("once.second", {});
});

answerSync(room);
