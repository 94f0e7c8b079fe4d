/** Lounge: a chat in Verani's manner, in which nobody says more than others can read. */

import { createActorHandler, defineRoom, Rejection } from "verani";
import type { ConnectionMeta } from "verani";

interface LoungeMeta extends ConnectionMeta {
  name: string;
}

interface Line {
  id: number;
  from: string;
  text: string;
  sentAt: number;
}

/** What a user has left to say, as it was at a time. */
interface Allowance {
  left: number;
  at: number;
}

/** How many lines a user may say at once, and how long one more takes. */
const AT_ONCE = 5;
const REFILL_MS = 4_000;
/** How many lines the room keeps. */
const LINES_KEPT = 30;
const TEXT_MOST = 280;

export const lounge = defineRoom<LoungeMeta>({
  name: "lounge",
  websocketPath: "/ws/lounge",

  extractMeta(req) {
    const name = (new URL(req.url).searchParams.get("name") ?? "").trim();
    if (!/^[\p{L}\p{N} _-]{1,24}$/u.test(name)) throw new Rejection(400, "a name has 1 to 24 letters, numbers and spaces");
    return { userId: name.toLowerCase(), clientId: crypto.randomUUID(), channels: ["default"], name };
  },

  async onConnect(ctx) {
    const lines = await ctx.actor.getStorage().list<Line>({ prefix: "line:" });
    ctx.ws.send(JSON.stringify({ type: "lounge", data: { you: ctx.meta.name, lines: [...lines.values()], names: names(ctx) } }));
    ctx.actor.broadcast("default", { type: "names", names: names(ctx) }, { except: ctx.ws });
  },

  onDisconnect(ctx) {
    ctx.actor.broadcast("default", { type: "names", names: names(ctx) });
  },
});

export const Lounge = createActorHandler(lounge);

/** The names of those who are here, each once. */
function names({ actor }: RoomContext<LoungeMeta>): string[] {
  return [...new Set(Array.from(actor.sessions.values(), ({ meta }) => meta.name))].sort();
}

lounge.on("say", async (ctx, data: { text?: unknown } | null) => {
  const text = typeof data?.text === "string" ? data.text.trim() : "";
  if (text.length < 1 || text.length > TEXT_MOST) {
    ctx.emit.emit("refused", { why: `a line has 1 to ${TEXT_MOST} characters` });
    return;
  }
  const storage = ctx.actor.getStorage();
  const now = Date.now();
  // What is taken for a line that is not said after all is given back: the transaction is undone.
  const said = await storage.transaction(async (txn) => {
    const key = `allowance:${ctx.meta.userId}`;
    const { left, at } = (await txn.get<Allowance>(key)) ?? { left: AT_ONCE, at: now };
    const whole = Math.min(AT_ONCE, left + (now - at) / REFILL_MS);
    const id = ((await txn.get<number>("lines")) ?? 0) + 1;
    await txn.put({ [key]: { left: whole - 1, at: now }, lines: id });
    if (whole < 1) {
      txn.rollback();
      return { waitMs: Math.ceil((1 - whole) * REFILL_MS) };
    }
    const line: Line = { id, from: ctx.meta.name, text, sentAt: now };
    await txn.put(keyOf(id), line);
    await txn.delete(keyOf(id - LINES_KEPT));
    return { line };
  });
  if (said.line === undefined) ctx.emit.emit("refused", { why: "one after another, please", waitMs: said.waitMs });
  else ctx.actor.emit.to("default").emit("line", said.line);
});

/** Keys of the same length, so that they are in the order of the lines. */
function keyOf(id: number): string {
  return `line:${String(Math.max(id, 0)).padStart(10, "0")}`;
}

lounge.on("typing", (ctx) => {
  ctx.actor.broadcast("default", { type: "typing", name: ctx.meta.name }, { except: ctx.ws });
});
