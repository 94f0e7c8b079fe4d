/** Says again what it is told, with all arguments and bytes, and answers with the same. */

import { defineRoom } from "@parlor/guest";

const room = defineRoom({ name: "mirror", websocketPath: "/mirror" });

room.on("sync", (ctx, data) => void ctx.emit.emit("synced", data));
room.on("mirror", (ctx, _, ack) => {
  ctx.emit.emit("mirror", ...ctx.args);
  ack(...ctx.args);
});
room.on("close", (ctx, code: number) => ctx.close(code, "as you wish"));
room.on("ask", (ctx, event: string) => ctx.ask(event, 1, { timeoutMs: 20_000 }));
room.onAck("question", (ctx, answer) => void ctx.emit.emit("answered", answer));
