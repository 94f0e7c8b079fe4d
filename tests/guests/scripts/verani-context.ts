// Verani's handler context: the room's sessions, the socket's meta, the frame's type, and an answer by emit.

import { defineRoom } from "verani";
import { answerSync, metaOf } from "./shared/query.ts";

const room = defineRoom({ name: "context", websocketPath: "/verani/context", extractMeta: metaOf });

room.on("custom.event", (ctx, data) => {
  const { actor, ws, meta, emit } = ctx;
  const sessions = actor.getSessionCount();
  console.log(`${meta.userId} of ${sessions} sent an event`);
  if (ws.readyState !== 1) throw new Error(`an open socket with the state ${ws.readyState}`);
  emit.emit("response", { received: true, frameType: ctx.frame.type, sessions, data });
});

answerSync(room);
