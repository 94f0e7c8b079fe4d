/** What runs within a turn besides its handlers. */

import { RoomError, answer, defineRoom } from "@parlor/guest";

const room = defineRoom();
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

room.on("order", async (ctx) => {
  const order: string[] = [];
  setTimeout(() => order.push("30"), 30);
  setTimeout((a: string, b: string) => order.push(a + b), 10, "1", "0");
  const stopped = setTimeout(() => order.push("stopped"), 5);
  clearTimeout(stopped);
  let times = 0;
  const every = setInterval(() => {
    order.push("every");
    times += 1;
    if (times === 3) clearInterval(every);
  }, 12);
  queueMicrotask(() => order.push("micro"));
  await sleep(40);
  ctx.emit.emit("order", order);
});
room.on("dropped", () => {
  setTimeout(() => console.log("never"), 10);
});
room.on("lost", () => {
  void Promise.reject(new RoomError("lost.code", "nobody looked"));
});
room.on("microtask", () => {
  queueMicrotask(() => {
    throw new Error("in a microtask");
  });
});
room.on("callback", async () => {
  setTimeout(() => {
    throw new Error("in a timeout");
  }, 1);
  await sleep(5);
});
room.on("late", (ctx) => {
  void sleep(0).then(() => ctx.emit.emit("late", {}));
  void Promise.resolve().then(() => ctx.emit.emit("soon", {}));
});
room.on("causes", () => {
  throw new TypeError("outer", { cause: new Error("inner", { cause: "root" }) });
});
room.on("value", () => {
  throw { odd: 1 };
});
room.on("code", async () => {
  await null;
  throw new RoomError("shop.gone", "no such thing");
});
room.on("first", () => answer(1));
room.on("first", async () => answer(2));
room.on("in-order", async (ctx) => {
  await sleep(5);
  ctx.emit.emit("one", {});
});
room.on("in-order", (ctx) => void ctx.emit.emit("two", {}));
room.on("lines", () => {
  console.log("a", { b: [1, "x"] }, new Map([["k", 1]]), "100%");
  console.warn("x".repeat(2_000));
  console.debug(new RoomError("some.code", "words"));
  console.assert(1 > 2, "one is not more than two");
});
