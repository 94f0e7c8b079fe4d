/** What the guests `swap_one` and `swap_two` of `tests/guests` say to the loads `swap` and `sleep`, in TypeScript. */

import { defineRoom } from "@parlor/guest";

export function version(name: string): void {
  const room = defineRoom({ name: "swap", websocketPath: "/swap" });
  let seq = 0;

  room.on("say", (ctx, say: { n: number }) => {
    seq += 1;
    ctx.actor.emit.emit("said", { n: say.n, version: name, seq });
  });
  room.on("state", (ctx) => {
    ctx.emit.emit("state", { version: name, seq });
  });
  room.onSuspend("counter/1", () => ({ seq }));
  room.onResume("counter/1", (_ctx, counter: { seq: number }) => {
    seq = counter.seq;
  });
}
