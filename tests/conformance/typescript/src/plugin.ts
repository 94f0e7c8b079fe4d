/** The reference plugin of the TypeScript SDK: `tests/conformance/README.md` says what it does, this is how. */

import { Rejection, answer, config, defineRoom, type ConnectRequest, type NewMeta, type RoomContext } from "@parlor/guest";
import { Memory } from "./memory.js";
import { Scene, type Plugin } from "./scene.js";

/** The timers that the plugin knows. */
const TIMERS = ["a", "b", "c"];

/** Defines the plugin's room, as this version of it. */
export function plugin(version: number): void {
  const memory = new Memory(version);
  const room = defineRoom({
    name: "conformance",
    websocketPath: "/conformance",
    extractMeta,
    onConnect: (ctx) => ownOperations(ctx, "connect", undefined),
    onDisconnect: (ctx, { code, reason }) => ownOperations(ctx, "disconnect", { code, reason }),
    onMessage(ctx, frame) {
      ctx.emit.emit("fallback", frame);
    },
    onError({ event, code, message }, ctx) {
      memory.errors.push({ event, code, message, socket: ctx.ws !== undefined });
    },
    onRestore(_, { reason }) {
      memory.restored = reason;
    },
    async onAlarm({ actor }, { due, attempt }) {
      const ops = (await actor.getStorage().get<unknown[]>("on-alarm")) ?? [];
      await new Scene(known, { actor, hook: { due, attempt } }).run(ops);
    },
  });
  const known: Plugin = { room, memory };

  /** Runs what stands in a field of the socket's own. */
  async function ownOperations(ctx: RoomContext, field: string, hook: unknown) {
    const ops = ctx.meta[field];
    if (ops !== undefined) await new Scene(known, { actor: ctx.actor, ctx, hook }).run(ops);
  }

  handlers(known);
  lives(known);
}

function handlers(known: Plugin): void {
  const { room } = known;
  room.on("do", async (ctx, ops) => {
    ctx.emit.emit("did", await new Scene(known, { actor: ctx.actor, ctx }).run(ops));
  });
  room.on("sync", (ctx, data) => ctx.emit.emit("synced", data));
  room.on("question", (_, data) => answer(data));
  room.on("hang", () => {
    for (;;);
  });
  for (const name of TIMERS) {
    room.onTimer(name, async ({ actor }, ops) => {
      await new Scene(known, { actor }).run(ops);
    });
  }
}

/** What of the memory goes over to the next instance. */
function lives(known: Plugin): void {
  const { room, memory } = known;
  suspendAs(known, `state/${memory.version}`);
  for (let version = 1; version <= memory.version; version += 1) {
    const schema = `state/${version}`;
    room.onResume(schema, (_, state) => {
      memory.resumed = { schema, state };
      memory.value = state;
    });
  }
  if (memory.version === 1) {
    room.onResumeAny((_, { schema, state }) => {
      memory.resumed = { schema, state };
    });
  }
}

/** Registers `$suspend` under a schema; the last one counts. */
export function suspendAs(known: Plugin, schema: string): void {
  const { room, memory } = known;
  room.onSuspend(schema, async ({ actor }) => {
    await new Scene(known, { actor }).run(memory.onSuspend);
    return memory.value;
  });
}

function extractMeta(req: ConnectRequest): NewMeta | null {
  const query = new URL(req.url).searchParams;
  const text = (name: string) => query.get(name) ?? "";
  const who = () => {
    switch (text("how")) {
      case "":
        return text("user");
      case "none":
        return null;
      case "reject":
        throw new Rejection(Number(text("status")), text("words"));
      case "fail":
        throw new Error(text("words"));
      case "header":
        return req.headers.get("X-User") ?? "";
      case "config":
        return config("user") ?? "";
      case "room":
        return req.room;
      default:
        throw new Rejection(400, `how=${text("how")}: the README names what there is`);
    }
  };
  const userId = who();
  if (userId === null) return null;
  const own = JSON.parse(query.get("fields") ?? "{}");
  return { ...own, userId, clientId: query.get("client") ?? undefined, channels: query.get("in")?.split(",") };
}
