import { answer, defineRoom, RoomError } from "@parlor/guest";

const room = defineRoom({
  onRestore(_, { reason }) {
    console.log(reason);
  },
});
room.onSuspend("replaced", () => 1);
room.onSuspend("big", async (ctx) => {
  const bytes = (await ctx.actor.getStorage().get<number>("bytes")) ?? 0;
  await ctx.actor.getStorage().put("suspended", bytes);
  ctx.actor.emit.emit("suspends", bytes);
  if (bytes === 1) throw new RoomError("mine", "not today");
  return "x".repeat(bytes);
});
room.on("bytes", (ctx, bytes: number) => ctx.actor.getStorage().put("bytes", bytes));
room.on("none", () => room.off("$suspend"));
// As another SDK may write it.
room.on("foreign", () => {
  room.off("$suspend");
  room.on("$suspend", () => answer({ x: 3 }));
});
room.on("ping", () => undefined);
