import { answer, defineRoom, RoomError, type Socket } from "@parlor/guest";

const room = defineRoom({});

/** Those that entered, as a room keeps them in its own memory. */
const kept = new Map<number, Socket>();

room.on("enter", (ctx) => {
  kept.set(ctx.ws.id, ctx.ws);
  // What is read of a socket is kept across turns.
  return answer({ id: ctx.ws.id, userId: ctx.meta.userId });
});
room.on("look", (ctx, id: number) => {
  const looked = [ctx.actor.socket(id), kept.get(id)!].map((socket) => ({ state: socket.readyState, userId: userId(socket) }));
  return answer(looked);
});

/** The user, or the code of the error that there is instead. */
function userId(socket: Socket): string {
  try {
    return socket.meta.userId;
  } catch (error) {
    if (error instanceof RoomError) return error.code;
    throw error;
  }
}
