import { defineRoom } from "@parlor/guest";

const room = defineRoom();

/** What a call is refused with: code and words; `undefined` where it is not refused. */
async function refused(call: () => unknown): Promise<string | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return `${error.code}: ${error.message}`;
  }
}

room.on("flood", (ctx) => {
  for (let number = 0; number <= 1_000; number += 1) void refused(() => ctx.emit.emit("number", number));
});
room.on("large", (ctx) => void refused(() => ctx.emit.emit("large", "x".repeat(256 << 10))));
room.on("much", (ctx) => {
  for (let number = 0; number < 3; number += 1) void refused(() => ctx.emit.emit("much", "x".repeat(200_000)));
});
room.on("read", (ctx) => {
  for (let number = 0; number <= 10_000; number += 1) void refused(() => ctx.actor.getSessionCount());
});
room.on("count", (ctx, to: string) => {
  const { emit } = ctx.actor;
  ctx.actor.log.info(
    [
      ctx.emit.to(to).emit("x"),
      emit.to(to).emit("x"),
      emit.toUser(to).emit("x"),
      emit.toClients([to, to]).emit("x"),
      emit.to("news").except(to).emit("x"),
      ctx.actor.sendToUser(to, "any", { type: "x" }),
      ctx.actor.broadcast("news", { type: "x" }, { except: ctx.ws }),
    ].join(" "),
  );
});
room.on("frames", (ctx) => {
  ctx.emit.emit("own", { type: "forged", a: 1 });
  ctx.actor.emit.to("b").emit("other", [1, 2]);
  ctx.actor.broadcast("b", "no event of its own");
});
room.on("list", async (ctx) => {
  const storage = ctx.actor.getStorage();
  await storage.put("other", 0);
  for (let number = 0; number < 600; number += 1) await storage.put(`n/${String(number).padStart(3, "0")}`, number);
  const page = await storage.page({ prefix: "n/", after: "n/000", limit: 2 });
  const all = await storage.list<number>({ prefix: "n/" });
  const inOrder = [...all.values()].every((value, at) => value === at);
  ctx.emit.emit("listed", { page, size: all.size, inOrder, deleted: [await storage.delete("n/000"), await storage.delete("n/000")] });
});
room.on("bounds", async (ctx) => {
  const storage = ctx.actor.getStorage();
  const large = "x".repeat((128 << 10) - 2);
  const keys = (count: number) => Array.from({ length: count }, (_, number) => `key/${number}`);
  const entries = (count: number, value: unknown) => Object.fromEntries(keys(count).map((key) => [key, value]));
  const calls = [
    () => ctx.close(1001),
    () => ctx.close(1000, "x".repeat(124)),
    () => ctx.emit.emit(""),
    () => ctx.emit.emit("$own"),
    () => ctx.emit.emit("deep", JSON.parse("[".repeat(129) + "]".repeat(129))),
    () => ctx.setMeta([1] as any),
    () => ctx.actor.socket(999).join("x"),
    () => storage.put("k".repeat(513), 1),
    () => storage.put("", 1),
    () => storage.put("k", `${large}x`),
    () => storage.put(entries(128, 0)),
    () => storage.put(entries(129, 0)),
    () => storage.get(keys(129)),
    () => storage.delete(["a", "a"]),
    () => storage.put(entries(8, large)),
    () => storage.page({ limit: 0 }),
    async () => {
      for (;;) await storage.put("again", large);
    },
  ];
  for (const call of calls) console.log((await refused(call)) ?? "taken");
});
room.on("bytes", async (ctx, bytes: number[]) => {
  const storage = ctx.actor.getStorage();
  await storage.putBytes("bytes", new Uint8Array(bytes));
  const found = await storage.getBytes("bytes");
  ctx.emit.emit("bytes", { is: found instanceof Uint8Array, found: [...found!] });
  bytes.length = 0;
});
