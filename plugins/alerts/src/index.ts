/** Alerts: in Verani's manner, on all devices of a user; they wait where there is none. */

import { createActorHandler, defineRoom, Rejection } from "verani";
import type { ConnectionMeta, DurableObjectStorage } from "verani";

interface Alert {
  id: string;
  level: "info" | "warning";
  title: string;
  from: string;
  sentAt: number;
  read: boolean;
}

const LEVELS: readonly unknown[] = ["info", "warning"];
const TITLE_MOST = 120;
/** How many alerts a user keeps. */
const KEPT = 20;

const NAME = /^[a-z0-9-]{1,24}$/;

export const alerts = defineRoom<ConnectionMeta>({
  name: "alerts",
  websocketPath: "/ws/alerts",

  extractMeta(req) {
    const user = new URL(req.url).searchParams.get("user") ?? "";
    if (!NAME.test(user)) throw new Rejection(400, "add ?user= to the address: 1 to 24 of a-z, 0-9 and -");
    return { userId: user, clientId: crypto.randomUUID(), channels: ["alerts"] };
  },

  async onConnect(ctx) {
    const { userId } = ctx.meta;
    const kept = await keptBy(ctx.actor.getStorage(), userId);
    ctx.emit.emit("alerts", { user: userId, alerts: kept, unread: unread(kept) });
    tellDevices(ctx);
  },

  onDisconnect(ctx) {
    tellDevices(ctx);
  },
});

export const Alerts = createActorHandler(alerts);

/** Tells a user's devices how many of them there are. */
function tellDevices({ actor, meta }: RoomContext): void {
  const devices = actor.getUserSessions(meta.userId).length;
  if (devices > 0) actor.emitToUser(meta.userId, "devices", { devices });
}

/** The alerts that are kept for a user, the newest first. */
async function keptBy(storage: DurableObjectStorage, user: string): Promise<Alert[]> {
  const kept = await storage.list<Alert>({ prefix: `alert:${user}:`, reverse: true });
  return [...kept.values()];
}

function unread(kept: readonly Alert[]): number {
  return kept.filter((alert) => !alert.read).length;
}

alerts.on("alert", async (ctx, sent: { user?: unknown; title?: unknown; level?: unknown } | null) => {
  const data = sent ?? {};
  const { user, level = "info" } = data;
  const title = typeof data.title === "string" ? data.title.trim() : "";
  const fits = typeof user === "string" && NAME.test(user) && LEVELS.includes(level);
  if (!fits || title.length < 1 || title.length > TITLE_MOST) {
    ctx.emit.emit("refused", { why: `an alert has a user and a title of 1 to ${TITLE_MOST} characters` });
    return;
  }
  const storage = ctx.actor.getStorage();
  const sentAt = Date.now();
  const id = `${String(sentAt).padStart(15, "0")}-${crypto.randomUUID().slice(0, 8)}`;
  const alert: Alert = { id, level: level as Alert["level"], title, from: ctx.meta.userId, sentAt, read: false };
  await storage.put(`alert:${user}:${id}`, alert);
  const kept = await keptBy(storage, user);
  await storage.delete(kept.slice(KEPT).map((old) => `alert:${user}:${old.id}`));
  const devices = ctx.actor.emitToUser(user, "alert.new", { alert, unread: unread(kept.slice(0, KEPT)) });
  ctx.emit.emit("alert.sent", { user, devices });
});

alerts.on("alert.read", async (ctx, sent: { id?: unknown } | null) => {
  const data = sent ?? {};
  const { userId } = ctx.meta;
  const storage = ctx.actor.getStorage();
  // All of them are read, or none is.
  const left = await storage.transaction(async (txn) => {
    const kept = await txn.list<Alert>({ prefix: `alert:${userId}:` });
    for (const [key, alert] of kept) {
      if (data.id === undefined || alert.id === data.id) await txn.put(key, { ...alert, read: true });
    }
    return unread([...(await txn.list<Alert>({ prefix: `alert:${userId}:` })).values()]);
  });
  ctx.actor.emitToUser(userId, "alert.read", { id: data.id, unread: left });
});
