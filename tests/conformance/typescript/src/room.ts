/** The reference plugin of the TypeScript SDK: `tests/conformance/README.md` says what it does, this is how. */

import { answer, config, defineRoom, Rejection, type ConnectRequest, type NewMeta, type Room } from "@parlor/guest";
import { Memory, states } from "./memory.ts";
import { run } from "./ops/index.ts";
import { Scene } from "./scene.ts";

/** The timers and the asks that the plugin knows. */
const NAMES = ["a", "b", "c"];

export function define(version: 1 | 2): void {
  const memory = new Memory(version);
  const room: Room = defineRoom({
    name: "conformance",
    websocketPath: "/conformance",
    extractMeta: authorize,
    async onConnect(ctx) {
      await run(new Scene(room, memory, ctx), ctx.meta.connect ?? []);
    },
    async onDisconnect(ctx, { code, reason }) {
      await run(new Scene(room, memory, ctx, { hook: { code, reason } }), ctx.meta.disconnect ?? []);
    },
    onMessage(ctx, frame) {
      ctx.emit.emit("fallback", frame);
    },
    onError({ event, code, message }, ctx) {
      memory.errors.push({ event, code, message, socket: ctx.ws.id !== 0 });
    },
    onRestore(_, { reason }) {
      memory.restored = reason;
    },
    onStart: () => configured(room),
    async onAlarm(ctx, { due, attempt }) {
      const ops = await ctx.actor.getStorage().get("on-alarm");
      await run(new Scene(room, memory, ctx, { hook: { due, attempt } }), ops ?? []);
    },
  });
  room.on("do", async (ctx, ops) => {
    ctx.emit.emit("did", await run(new Scene(room, memory, ctx), ops));
  });
  room.on("sync", (ctx, data) => {
    ctx.emit.emit("synced", data);
  });
  room.on("question", (_, data) => answer(data));
  room.on("hang", () => {
    for (;;);
  });
  for (const name of NAMES) {
    room.onTimer(name, (ctx, ops) => run(new Scene(room, memory, ctx), ops));
    room.onAck(name, (ctx, given) => void ctx.actor.emit.emit("answered", { name, data: null, ...given }));
  }
  states(room, memory);
}

/** What the configuration asks the host to keep and to tell of channels. */
function configured(room: Room): void {
  for (const keep of config("keep")?.split(",") ?? []) {
    const [channel, entries, ttlMs, durable] = keep.split(" ");
    room.keepHistory(channel, { entries: Number(entries), ttlMs: Number(ttlMs), durable: durable !== undefined });
  }
  const presence = config("presence");
  if (presence !== undefined) room.presence(presence);
  if (config("lines") !== undefined) {
    for (const event of ["lost", "back"]) {
      room.on(`$${event}`, (ctx) => void ctx.actor.emit.emit(event, { client: ctx.meta.clientId }));
    }
  }
  if (config("users") === undefined) return;
  for (const event of ["user-join", "user-leave"]) {
    room.on(`$${event}`, (ctx, { userId }) => void ctx.actor.emit.emit(event, { userId, client: ctx.meta.clientId }));
  }
}

async function authorize(req: ConnectRequest): Promise<NewMeta | null> {
  const query = new URL(req.url).searchParams;
  const words = query.get("words") ?? "";
  switch (query.get("how")) {
    case null:
      return metaOf(query, query.get("user") ?? "");
    case "none":
      return null;
    case "reject":
      throw new Rejection(Number(query.get("status")), words);
    case "fail":
      throw new Error(words);
    case "header":
      return metaOf(query, req.headers.get("X-User") ?? "");
    case "config":
      return metaOf(query, config("user") ?? "");
    case "room":
      return metaOf(query, req.room);
    default:
      throw new Rejection(400, `how=${query.get("how")}: the README names what there is`);
  }
}

function metaOf(query: URLSearchParams, userId: string): NewMeta {
  const [clientId, channels] = [query.get("client"), query.get("in")];
  return {
    ...JSON.parse(query.get("fields") ?? "{}"),
    userId,
    ...(clientId !== null && { clientId }),
    ...(channels !== null && { channels: channels.split(",") }),
  };
}
