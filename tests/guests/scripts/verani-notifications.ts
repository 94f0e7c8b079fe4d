// Verani's complete example: notifications for users that have tokens, on all their devices.

import { Rejection, config, defineRoom } from "verani";

interface NotificationMeta extends ConnectionMeta {
  username: string;
}

interface User {
  id: string;
  username: string;
  role: string;
}

/** The user whom the operator configured for a token. */
function verifyToken(token: string | null): User {
  const users: Record<string, User> = JSON.parse(config("tokens") ?? "{}");
  const user = users[token ?? ""];
  if (user === undefined) throw new Rejection(401, "nobody has this token");
  return user;
}

const room = defineRoom<NotificationMeta>({
  name: "notifications",
  websocketPath: "/ws/notifications",

  extractMeta(req) {
    const url = new URL(req.url);
    const { id, username, role } = verifyToken(url.searchParams.get("token"));
    return { userId: id, clientId: crypto.randomUUID(), channels: ["notifications"], username, role };
  },

  onConnect(ctx) {
    ctx.emit.emit("welcome", { message: "Connected to notifications", userId: ctx.meta.userId });
  },
});

room.on("notification.update", (ctx, data) => {
  const { userId, count } = data;
  if (!userId) throw new Error("Missing userId");
  ctx.emit.to(userId).emit("inbox_changed", { type: "inbox_changed", count });
});

room.on("notification.mark-read", (ctx, data) => {
  ctx.emit.to(ctx.meta.userId).emit("notification.read", { notificationId: data.id, readAt: Date.now() });
});

room.on("admin.announcement", (ctx, data) => {
  if (ctx.meta.role !== "admin") {
    ctx.emit.emit("error", { message: "Unauthorized" });
    return;
  }
  const announcement = { message: data.message, from: ctx.meta.username, timestamp: Date.now() };
  ctx.actor.emit.to("notifications").emit("announcement", announcement);
});
