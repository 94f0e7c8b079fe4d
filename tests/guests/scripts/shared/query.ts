/** What the test guests in TypeScript share. */

import type { Room } from "verani";

/**
 * Believes what the query says: `user`, `client`, and `in`, the channels with commas between them. What is not there is made
 * up as the host would.
 */
export function metaOf(req: Request) {
  const query = new URL(req.url).searchParams;
  return {
    userId: query.get("user") ?? crypto.randomUUID(),
    clientId: query.get("client") ?? crypto.randomUUID(),
    channels: query.get("in")?.split(",") ?? ["default"],
  };
}

/**
 * Answers `sync` with `synced` and the same data: a test that has read the answer has read everything that the room did for its
 * socket before.
 */
export function answerSync(room: Room<any>): void {
  room.on("sync", (ctx, data) => {
    ctx.emit.emit("synced", data);
  });
}
