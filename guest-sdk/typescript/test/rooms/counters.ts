import { defineRoom, type Room } from "@parlor/guest";

/** The room of a version, which takes the states of these versions. */
export function counter(version: number, takes: number[]): Room {
  let count = 0;
  const room = defineRoom({
    onRestore(_, { reason }) {
      console.log(`${version} anew: ${reason}`);
    },
    onError(error) {
      console.warn(`${error.event}: ${error.code}`);
    },
  });
  room.on("say", (ctx) => {
    count += 1;
    ctx.emit.emit("said", { version, count });
  });
  room.on("later", () => room.on("late", () => undefined));
  room.onSuspend(`count/${version}`, async (_, { reason }) => {
    console.log(`${version} goes: ${reason}`);
    return count;
  });
  for (const from of takes) {
    room.onResume(`count/${from}`, (_, state: number) => {
      count = state;
      console.log(`${version} takes ${from}`);
    });
  }
  return room;
}
