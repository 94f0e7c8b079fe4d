import { config, defineRoom } from "@parlor/guest";

/** When the tests begin. */
const START = 1_000_000;

let attemptsToFail = 1;

const room = defineRoom({
  async onConnect(ctx) {
    const storage = ctx.actor.getStorage();
    await storage.put("visits", ((await storage.get<number>("visits")) ?? 0) + 1);
  },
  onDisconnect: (ctx) => ctx.actor.getStorage().put("visits", 0),
  onRestore(ctx, { reason }) {
    console.log(`${reason} with ${ctx.actor.getSessionCount()} sockets`);
  },
  async onAlarm(ctx, alarm) {
    console.log(`alarm ${alarm.due - START} attempt ${alarm.attempt} at ${Date.now() - START}`);
    await ctx.actor.getStorage().put("attempt", alarm.attempt);
    switch (config("alarm")) {
      case "fails":
        if (alarm.attempt <= 11) throw new Error("not yet");
        break;
      case "fails-once":
        attemptsToFail -= 1;
        if (attemptsToFail === 0) throw new Error("the first attempt of each instance fails");
        break;
      case "for-ever":
        ctx.actor.alarm.set(0);
    }
  },
  onError(error) {
    console.warn(error.event, error.code);
  },
});

room.on("timer", (ctx, [name, ms]: [string, number]) => ctx.actor.timers.set(name, ms, ms));
room.on("alarm", (ctx, ms: number) => ctx.actor.alarm.set(new Date(Date.now() + ms)));
room.on("cancel", (ctx, name: string) => {
  ctx.emit.emit("cancelled", [ctx.actor.timers.cancel(name), ctx.actor.timers.cancel(name)]);
});
room.on("both", (ctx, fail: boolean) => {
  const { timers, alarm } = ctx.actor;
  timers.set("a", 1_000);
  alarm.set(7);
  const seen = [timers.cancel("a"), timers.cancel("b"), alarm.get()];
  alarm.cancel();
  console.log(...seen, alarm.get());
  if (fail) throw new Error("no");
});
for (const name of ["a", "b", "c"]) {
  room.onTimer(name, (_, ms: number) => console.log(`${name} ${ms} at ${Date.now() - START}`));
}
room.onTimer("tick", (ctx, number) => {
  console.log(`tick ${number} at ${Date.now() - START}`);
  ctx.actor.timers.set("tick", number, number);
});
room.onTimer("cat", () => {
  throw new Error("the cat ate it");
});
room.on("bounds", (ctx) => {
  const { timers, alarm } = ctx.actor;
  for (let number = 0; number < 64; number += 1) timers.set(`n${number}`, 1_000);
  timers.set("n0", 2_000, "x".repeat((4 << 10) - 2));
  const calls = [
    () => timers.set("one more", 1_000),
    () => timers.set("n0", 1_000, "x".repeat((4 << 10) - 1)),
    () => timers.set("", 1_000),
    () => alarm.set(2 ** 54),
  ];
  for (const call of calls) {
    try {
      call();
    } catch (error) {
      console.log(`${error.code}: ${error.message}`);
    }
  }
});
