/** Desks: who is at their desk, in Verani's manner. What a user is doing is written to the meta of their socket. */

import { defineRoom, Rejection } from "verani";
import type { ConnectionMeta, VeraniActor } from "verani";

type Status = "here" | "away" | "busy";

interface DeskMeta extends ConnectionMeta {
  status: Status;
  /** What the user says about it. */
  note: string;
  device: "phone" | "desktop";
}

interface Desk {
  user: string;
  status: Status;
  note: string;
  devices: string[];
}

const STATUSES: readonly unknown[] = ["here", "away", "busy"];
const NOTE_MOST = 60;

export const desks = defineRoom<DeskMeta>({
  name: "desks",
  websocketPath: "/ws/desks",

  extractMeta(req) {
    const user = new URL(req.url).searchParams.get("user") ?? "";
    if (!/^[a-z0-9-]{1,24}$/.test(user)) throw new Rejection(400, "add ?user= to the address: 1 to 24 of a-z, 0-9 and -");
    const device = /Mobile|Android|iPhone/.test(req.headers.get("User-Agent") ?? "") ? "phone" : "desktop";
    return { userId: user, clientId: crypto.randomUUID(), channels: ["default"], status: "here", note: "", device };
  },

  onConnect(ctx) {
    // Another device of theirs says what they are doing already.
    const other = ctx.actor.getUserSessions(ctx.meta.userId).find((ws) => ws !== ctx.ws);
    if (other !== undefined) {
      ctx.meta.status = other.meta.status;
      ctx.meta.note = other.meta.note;
    }
    ctx.ws.send(JSON.stringify({ type: "welcome", data: { user: ctx.meta.userId, device: ctx.meta.device } }));
    show(ctx.actor);
  },

  onDisconnect(ctx) {
    show(ctx.actor);
  },

  // The room slept, or has new code: whoever is here is told again what the metas say.
  onHibernationRestore(actor) {
    show(actor);
  },

  onError(error, ctx) {
    console.error(`an event of ${ctx.meta.userId} failed: ${error.message}`);
    ctx.ws.send(JSON.stringify({ type: "refused", data: { why: "that was not possible" } }));
  },
});

desks.on("status", (ctx, data: { status?: unknown; note?: unknown } | null) => {
  const { status, note = "" } = data ?? {};
  if (!STATUSES.includes(status) || typeof note !== "string" || note.length > NOTE_MOST) {
    ctx.emit.emit("refused", { why: `a status is here, away or busy, with a note of up to ${NOTE_MOST} characters` });
    return;
  }
  for (const { meta } of ctx.actor.getUserSessions(ctx.meta.userId)) {
    meta.status = status as Status;
    meta.note = note.trim();
  }
  show(ctx.actor);
});

/** Tells everybody of all desks. */
function show(actor: VeraniActor<DeskMeta>): void {
  const all = new Map<string, Desk>();
  for (const { meta } of actor.sessions.values()) {
    const { userId: user, status, note, device } = meta;
    const desk = all.get(user) ?? { user, status, note, devices: [] };
    all.set(user, { ...desk, devices: [...desk.devices, device] });
  }
  const users = [...all.values()].sort((a, b) => (a.user < b.user ? -1 : 1));
  actor.broadcast("default", { type: "desks", users, sockets: actor.getSessionCount() });
}
