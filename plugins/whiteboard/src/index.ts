/** Whiteboard: several people draw on one board and see each other's cursors. A room is one board. */

import { Rejection, defineRoom, reject, type Actor, type RoomContext } from "@parlor/guest";
import { addStroke, clearBoard, pageOfStrokes, removeStroke, STROKES_MOST, sweep } from "./board.js";
import { BOARD, lineOf, livePartOf, POINTS_MOST, pointOf } from "./stroke.js";

/** Each movement of a cursor goes to everybody else. */
const SOCKETS_MOST = 50;
const NAME_MOST = 24;
const TRY_LATER = 1013;

interface Cursor {
  userId: string;
  clientId: string;
  x: number;
  y: number;
}

/** Where everybody points, by client id. In memory alone: whoever moves next says it anew, should a crash forget it. */
const cursors = new Map<string, Cursor>();

const room = defineRoom({
  name: "whiteboard",
  websocketPath: "/ws/whiteboard",

  // Whoever says a name is believed. One name is one user, with as many sockets as they like.
  extractMeta(req) {
    const name = new URL(req.url).searchParams.get("name")?.trim() ?? "";
    if (name.length < 1 || name.length > NAME_MOST || /\p{C}/u.test(name)) {
      throw new Rejection(400, `add ?name= to the address: 1 to ${NAME_MOST} characters that can be seen`);
    }
    return { userId: name };
  },

  onConnect(ctx) {
    if (ctx.actor.getSessionCount() > SOCKETS_MOST) return ctx.close(TRY_LATER, "the board is crowded");
    const { userId, clientId } = ctx.meta;
    const limits = { strokes: STROKES_MOST, points: POINTS_MOST };
    ctx.emit.emit("board", { userId, clientId, size: BOARD, limits, cursors: [...cursors.values()] });
    tellPeople(ctx.actor);
  },

  onDisconnect(ctx) {
    forgetCursor(ctx);
    tellPeople(ctx.actor);
  },

  async onAlarm(ctx) {
    if (await sweep(ctx.actor.getStorage())) ctx.actor.alarm.set(Date.now());
  },
});

room.on("board.page", async (ctx, data: { after?: unknown } | null) => {
  const { after = 0 } = data ?? {};
  if (!Number.isSafeInteger(after)) reject("page.invalid", "after is the number of a stroke");
  ctx.emit.emit("board.page", await pageOfStrokes(ctx.actor.getStorage(), after as number));
});

room.on("cursor.move", (ctx, data) => {
  const { userId, clientId } = ctx.meta;
  const cursor = { userId, clientId, ...pointOf(data) };
  cursors.set(clientId, cursor);
  ctx.emit.to("default").emit("cursor.moved", cursor);
});

room.on("cursor.leave", (ctx) => forgetCursor(ctx));

room.on("stroke.draw", (ctx, data) => {
  const { userId, clientId } = ctx.meta;
  const line = livePartOf(data);
  const [x, y] = line.points.slice(-2) as [number, number];
  cursors.set(clientId, { userId, clientId, x, y });
  ctx.emit.to("default").emit("stroke.drawn", { userId, clientId, ...line });
});

room.on("stroke.add", async (ctx, data) => {
  const stroke = await addStroke(ctx.actor.getStorage(), ctx.meta.userId, lineOf(data));
  ctx.actor.emit.emit("stroke.added", stroke);
});

room.on("stroke.remove", async (ctx, data: { number?: unknown } | null) => {
  const { number } = data ?? {};
  if (!Number.isSafeInteger(number)) reject("stroke.invalid", "number is the number of a stroke");
  const removed = await removeStroke(ctx.actor.getStorage(), ctx.meta.userId, number as number);
  if (removed) ctx.actor.emit.emit("stroke.removed", { number, userId: ctx.meta.userId });
});

room.on("board.clear", async (ctx) => {
  if (await clearBoard(ctx.actor.getStorage())) ctx.actor.alarm.set(Date.now());
  ctx.actor.emit.emit("board.cleared", { userId: ctx.meta.userId });
});

// Sleep and a new version keep the cursors where they are.
room.onSuspend("cursors/1", () => [...cursors.values()]);
room.onResume("cursors/1", (_ctx, kept: Cursor[]) => {
  for (const cursor of kept) cursors.set(cursor.clientId, cursor);
});

/** Tells everybody who is there, whoever came or went: a list cannot be missed as a step can. */
function tellPeople(actor: Actor): void {
  actor.emit.emit("people", { userIds: actor.getConnectedUserIds() });
}

function forgetCursor(ctx: RoomContext): void {
  const { clientId } = ctx.meta;
  cursors.delete(clientId);
  ctx.actor.emit.to("default").except(clientId).emit("cursor.left", { clientId });
}
