// Verani's migration: the same relay as an `onMessage` that looks at names, or as a handler; the operator chooses.

import { config, defineRoom } from "verani";
import { metaOf } from "./shared/query.ts";

const room = defineRoom({
  name: "migration",
  websocketPath: "/verani/migration",
  extractMeta: metaOf,
  // There is no configuration yet where the module runs.
  onConnect() {
    if (config("style") === "before") room.off("chat.message", relay);
  },
  onMessage(ctx, frame) {
    if (frame.type === "chat.message") {
      ctx.actor.broadcast("default", { type: "chat.message", from: ctx.meta.userId, text: frame.data.text });
    }
  },
});

room.on("chat.message", relay);

function relay(ctx: MessageContext, data: { text: string }): void {
  ctx.actor.emit.to("default").emit("chat.message", { from: ctx.meta.userId, text: data.text });
}
