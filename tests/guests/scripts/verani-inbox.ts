// Verani's emit to a user, once with an error that fails the turn and once with one that is handled gracefully.

import { defineRoom, type MessageContext } from "verani";
import { answerSync, metaOf } from "./shared/query.ts";

const room = defineRoom({ name: "inbox", websocketPath: "/verani/inbox", extractMeta: metaOf });

function update(ctx: MessageContext, { userId, count }: { userId?: string; count?: number }): void {
  if (!userId) throw new Error("Missing userId");
  ctx.emit.to(userId).emit("inbox_changed", { type: "inbox_changed", count });
}

room.on("notification.update", update);

room.on("notification.update-gracefully", (ctx, data) => {
  try {
    update(ctx, data);
  } catch (error) {
    ctx.emit.emit("error", { message: error.message });
  }
});

answerSync(room);
