// A room in which everybody hears what anybody says, with a number that counts on.

import { config, defineRoom, reject } from "@parlor/guest";

/** The key of how many messages there were. */
const COUNT = "count";

interface Say {
  text: string;
}

const room = defineRoom({
  name: "{{name}}",
  websocketPath: "/{{name}}",

  async onConnect(ctx) {
    const said = (await ctx.actor.getStorage().get<number>(COUNT)) ?? 0;
    ctx.emit.emit("welcome", { userId: ctx.meta.userId, motd: config("motd"), said });
  },

  onDisconnect(ctx) {
    ctx.actor.emit.emit("left", { userId: ctx.meta.userId, left: ctx.actor.getSessionCount() });
  },
});

// A handler is one turn: where it throws, what it stored and emitted until then never happened.
room.on("say", async (ctx, say: Say) => {
  const storage = ctx.actor.getStorage();
  const number = ((await storage.get<number>(COUNT)) ?? 0) + 1;
  await storage.put(COUNT, number);
  if (typeof say.text !== "string" || !say.text.trim()) reject("say.empty", "say something");
  ctx.actor.emit.emit("said", { number, from: ctx.meta.userId, text: say.text });
});
