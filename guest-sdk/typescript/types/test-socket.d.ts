/** A client of a test room. */

import type { ConnectionMeta } from "./meta.js";
import type { TestRoom, TurnFailed } from "./testing.js";

/** A client of a {@link TestRoom}: sends events, and holds what it got. `connect` and `connectAs` make it. */
export interface TestSocket {
  /**
   * The socket's id in its room: `ctx.ws.id`.
   *
   * ```ts
   * assert.notEqual(ada.id, bob.id);
   * ```
   */
  readonly id: number;

  /**
   * What the room knows of it, as last committed. Throws once it has left.
   *
   * ```ts
   * assert.deepEqual([ada.meta.userId, ada.meta.channels], ["ada", ["default"]]);
   * ```
   */
  readonly meta: ConnectionMeta;

  /**
   * Sends an event like `client.emit(event, data)`, or like `client.emit(event)` without `data`. The room has handled it when
   * this returns. The room ignores what a closed socket sends. Throws for what no client could send: a name that is empty, over
   * 128 bytes or begins with `$`, and data that is over 64 KiB of JSON or that JSON cannot express.
   *
   * ```ts
   * ada.send("chat.message", { text: "hi" });
   * ada.send("count");
   * ```
   */
  send(event: string, data?: unknown): void;

  /**
   * Sends a frame as it stands on the wire. Throws as {@link send}.
   *
   * ```ts
   * ada.sendFrame({ type: "chat.message", channel: "news", data: { text: "hi" } });
   * ```
   */
  sendFrame(frame: { type: string; channel?: string; data?: unknown }): void;

  /**
   * Sends an event and returns its acknowledgement: `undefined` where nobody answered. Throws {@link TurnFailed} where its turn
   * failed, and as {@link send}.
   *
   * ```ts
   * assert.equal(ada.ask("double", { number: 4 }), 8);
   * assert.throws(() => ada.ask("double", { number: "four" }), { code: "not-a-number" });
   * ```
   */
  ask(event: string, data?: unknown): any;

  /**
   * The frames that it got since the last call, as they are on the wire.
   *
   * ```ts
   * ada.sendFrame({ type: "ping" });
   * bob.send("chat.message", { text: "hi" });
   * const event = { type: "event", channel: "default", data: { type: "chat.message", text: "hi" } };
   * assert.deepEqual(ada.received(), [{ type: "pong" }, event]);
   * ```
   */
  received(): any[];

  /**
   * The events that it got since the last call of this or of {@link received}, as a client's listeners see them: the frames'
   * `data`, which holds the event's name as `type`.
   *
   * ```ts
   * ada.send("chat.message", { text: "hi" });
   * assert.deepEqual(bob.events(), [{ type: "chat.message", text: "hi" }]);
   * assert.deepEqual(bob.events(), []);
   * ```
   */
  events(): any[];

  /**
   * The code and reason with which it was closed; `undefined` while it is open.
   *
   * ```ts
   * ada.send("leave");
   * assert.deepEqual(ada.closed(), { code: 4000, reason: "bye" });
   * ```
   */
  closed(): { code: number; reason: string } | undefined;

  /**
   * Ends the connection from the client's side; `onDisconnect` has run when this returns. `code` is 1000 without it.
   *
   * ```ts
   * ada.close(1001, "the tab was closed");
   * assert.deepEqual(room.userIds, ["bob"]);
   * ```
   */
  close(code?: number, reason?: string): void;
}
