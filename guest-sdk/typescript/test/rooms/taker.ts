/** A version that takes only what is no count, or says why not: what `resume` of the configuration says. */

import { config, defineRoom, RoomError } from "@parlor/guest";

const room = defineRoom({
  onRestore(_, { reason }) {
    console.log(`taker: ${reason}`);
  },
});
room.on("say", (ctx) => void ctx.emit.emit("said", { version: "taker" }));
room.onResume("text/1", (_, text) => console.log("text", text));
room.onResumeAny((_, found) => {
  if (config("resume") === "no") throw new RoomError("mine", "not today");
  console.log(found.schema, found.state);
});
