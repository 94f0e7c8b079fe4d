/** Inbox: users with tokens get notes on all their devices, also those that came while they were away. */

import { Rejection, defineRoom, reject, type ConnectionMeta } from "@parlor/guest";
import { TEXT_MOST, addNote, markRead, notesOf, unreadOf } from "./notes.js";
import { EVERYBODY, isUser, userOfToken } from "./users.js";

interface UserMeta extends ConnectionMeta {
  username: string;
  role: string;
}

const inbox = defineRoom<UserMeta>({
  name: "inbox",
  websocketPath: "/ws/inbox",

  extractMeta(req) {
    const token = req.auth?.token ?? new URL(req.url).searchParams.get("token");
    if (typeof token !== "string" || token === "") throw new Rejection(401, "add ?token= to the address");
    const user = userOfToken(token);
    if (user === undefined) throw new Rejection(401, "nobody has this token");
    const { id, username, role } = user;
    return { userId: id, clientId: crypto.randomUUID(), channels: [EVERYBODY], username, role };
  },

  async onConnect(ctx) {
    const { userId, username, role } = ctx.meta;
    const notes = await notesOf(ctx.actor.getStorage(), userId);
    ctx.emit.emit("inbox", { userId, username, role, notes, unread: unreadOf(notes) });
  },
});

inbox.on("note.send", async (ctx, data: { userId?: unknown; text?: unknown } | null) => {
  const { userId, text } = data ?? {};
  if (typeof userId !== "string" || userId === "") throw new Error("a note without a userId");
  if (!isUser(userId)) reject("user.unknown", `there is no user ${userId.slice(0, 100)}`);
  const words = typeof text === "string" ? text.trim() : "";
  if (words.length < 1 || words.length > TEXT_MOST) reject("note.text", `a note has 1 to ${TEXT_MOST} characters`);

  const from = ctx.meta.username;
  const { note, unread } = await addNote(ctx.actor.getStorage(), userId, { from, text: words, sentAt: Date.now() });
  const devices = ctx.emit.to(userId).emit("inbox.changed", { note, unread });
  ctx.emit.emit("note.sent", { userId, id: note.id, devices });
});

inbox.on("note.read", async (ctx, data: { id?: unknown } | null) => {
  const { id } = data ?? {};
  if (id !== undefined && typeof id !== "number") reject("note.id", "the id of a note is a number");
  const { userId } = ctx.meta;
  const unread = await markRead(ctx.actor.getStorage(), userId, id as number | undefined);
  ctx.emit.to(userId).emit("inbox.read", { id, unread, readAt: Date.now() });
});

inbox.on("announce", (ctx, data: { message?: unknown } | null) => {
  if (ctx.meta.role !== "admin") {
    ctx.emit.emit("error", { code: "not-admin", message: "only admins announce" });
    return;
  }
  const { message } = data ?? {};
  if (typeof message !== "string" || message.length < 1 || message.length > TEXT_MOST) {
    reject("announce.message", `an announcement has 1 to ${TEXT_MOST} characters`);
  }
  const reached = ctx.actor.emit.to(EVERYBODY).emit("announcement", {
    message,
    from: ctx.meta.username,
    timestamp: Date.now(),
  });
  console.log(`${ctx.meta.userId} announced to ${reached} sockets`);
});
