import { defineRoom, RoomError } from "@parlor/guest";

/** Spends more than there is, and would say so. */
const room = defineRoom({
  name: "purse",
  async onCheck(ctx) {
    const purse = (await ctx.actor.getStorage().get<number>("purse")) ?? 0;
    if (purse < 0) throw new RoomError("purse", `it has ${purse}`);
  },
});

room.on("spend", async (ctx, coins: number) => {
  const storage = ctx.actor.getStorage();
  await storage.put("purse", ((await storage.get<number>("purse")) ?? 10) - coins);
});

export default room;
