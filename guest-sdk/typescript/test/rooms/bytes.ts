import { answer, defineRoom } from "@parlor/guest";

const room = defineRoom({
  onMessage(ctx, frame, ack) {
    ctx.emit.emit("fallback", frame.data);
    ack(frame.data);
  },
});

/** What a value is, bytes told from all others. */
function kind(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${[...value].join(" ")}`;
  if (Array.isArray(value)) return value.map(kind);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, kind(inner)]));
}

room.on("kind", (ctx, data) => {
  ctx.emit.emit("kind", { data: kind(data), frame: kind(ctx.frame.data ?? null), args: ctx.args.map(kind) });
});
room.on("echo", (ctx, data, ack) => {
  ctx.actor.emit.emit("echo", data);
  ack(data);
});
room.on("several", (ctx, bytes: Uint8Array) => {
  ctx.emit.emit("several", 1, { bytes }, bytes);
  ctx.ws.emit("none");
  return answer(bytes, 2);
});
room.on("forge", (ctx, data) => {
  ctx.emit.emit("look-alike", data);
  ctx.emit.emit("beside", { data, bytes: Uint8Array.of(1) });
});
room.on("writes", (ctx) => {
  const bytes = Uint8Array.of(1, 2);
  const inner = {
    toJSON() {
      ctx.emit.emit("inner", { bytes: Uint8Array.of(9) });
      return { written: true };
    },
  };
  ctx.emit.emit("outer", { bytes, inner });
  console.log(JSON.stringify({ bytes }));
});
room.on("store", async (ctx, data) => {
  await ctx.actor.getStorage().put("data", data);
});
room.on("many", (ctx, count: number) => ctx.emit.emit("many", Array.from({ length: count }, () => Uint8Array.of(0))));
room.on("heavy", (ctx, size: number) => ctx.emit.emit("heavy", { bytes: new Uint8Array(size) }));
room.on("refused", (ctx) => {
  try {
    ctx.emit.emit("$own", { bytes: Uint8Array.of(1) });
  } catch {
    ctx.emit.emit("other", { _placeholder: true, num: 0 });
  }
});
room.onSuspend("bytes/1", () => ({ bytes: Uint8Array.of(1, 2) }));
room.on("resized", (_, size: number) => {
  const buffer = new ArrayBuffer(2, { maxByteLength: 8 });
  const view = new Uint8Array(buffer);
  view.set([1, 2]);
  buffer.resize(size);
  return answer(view);
});
room.on("list", async (ctx, length: number) => {
  const keys = new Array<string>(length).fill("key");
  return answer(await ctx.actor.getStorage().delete(keys).then(String, String));
});
