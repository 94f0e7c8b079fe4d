import { answer, defineRoom, reject, RoomError, type Ack } from "@parlor/guest";

let kept: Ack | undefined;

const room = defineRoom({
  onConnect(ctx) {
    if (ctx.meta.userId === "eve") ctx.ask("password");
  },
});

room.on("classic", (ctx, data: unknown, ack) => {
  ctx.emit.emit("before");
  ack({ got: data });
  ctx.emit.emit("behind");
  ack("twice");
  return answer("returned");
});
room.on("returned", async () => answer("it"));
room.on("returned", (_, __, ack) => ack("too late"));
room.on("several", (_, [a, b]: [number, number], ack) => ack(null, a + b));
room.on("empty", (_, __, ack) => ack());
room.on("silent", (ctx) => ctx.emit.emit("heard", ctx.wantsAnswer));
room.on("later", (_, __, ack) => {
  void Promise.resolve().then(() => ack("in a job of the turn"));
});
room.on("reject", () => reject("no.way", "not here"));
room.on("throw", () => {
  throw new RoomError("own.code", "not for clients");
});
room.on("large", () => answer("x".repeat(256 << 10)));
room.on("unwritable", () => answer(() => 1));
room.on("leave", (ctx, _, ack) => {
  ctx.emit.emit("bye");
  ack("gone");
  ctx.close(4000, "bye");
});
room.on("keep", (_, __, ack) => {
  kept = ack;
});
room.on("use", () => kept!("late"));

room.on("ask", (ctx, { event = "question", data, ...options }) => ctx.ask(event, data, options));
room.on("ask-other", (ctx, id: number) => ctx.actor.socket(id).ask("question"));
room.on("ask-and-fail", (ctx) => {
  ctx.ask("question");
  throw new RoomError("late", "nobody is asked");
});
room.on("ask-often", (ctx, count: number) => {
  for (let number = 0; number < count; number += 1) ctx.ask("question", { number });
});
room.on("refused", (ctx) => {
  const calls = [
    () => ctx.ask("$question"),
    () => ctx.ask("question", {}, { name: "" }),
    () => ctx.ask("question", {}, { timeoutMs: 0 }),
    () => ctx.ask("question", {}, { timeoutMs: 3_600_001 }),
    () => ctx.ask("question", {}, { spread: true }),
    () => ctx.actor.socket(999).ask("question"),
  ];
  for (const call of calls) {
    try {
      call();
      console.log("taken");
    } catch (error) {
      console.log(`${error.code}: ${error.message}`);
    }
  }
});
for (const name of ["question", "own"]) {
  room.onAck(name, (ctx, given) => console.log(name, ctx.ws.id, ctx.ws.readyState, ctx.emit.emit("told"), given));
}
room.onAck("again", (ctx) => ctx.ask("again"));
room.on("forget", () => console.log(room.offAck("question"), room.offAck("own"), room.offAck("again"), room.offAck("none")));
