/** A client of a test room. */

import type { ConnectionMeta } from "./meta.js";
import type { TestRoom, TurnFailed } from "./testing.js";

/**
 * A frame as a client sends it, for {@link TestSocket.sendFrame}.
 *
 * ```ts
 * const frame: SentFrame = { type: "double", data: { number: 4 }, id: 7 };
 * ada.sendFrame(frame);
 * assert.deepEqual(ada.received(), [{ type: "ack", id: 7, data: 8 }]);
 * ```
 */
export interface SentFrame {
  /** The event's name; `ack` with an `id` answers the ask of this number. */
  type: string;
  channel?: string;
  data?: unknown;
  /** Bytes, in the place of data. */
  base64?: string;
  /** The client waits for an acknowledgement with this number. */
  id?: number;
}

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
   * Sends an event like `client.emit(event, data)`, or like `client.emit(event)` without `data`. Several values are several
   * arguments, and a `Uint8Array` anywhere in them is bytes, as a client of Socket.IO sends both. The room has handled it when
   * this returns. The room ignores what a closed socket sends. Throws for what no client could send: a name that is empty, over
   * 128 bytes or begins with `$`, and data that is over 64 KiB or that JSON cannot express.
   *
   * ```ts
   * ada.send("chat.message", { text: "hi" });
   * ada.send("chat.message", { text: "look", picture: Uint8Array.of(255, 0) });
   * ada.send("count");
   * ```
   */
  send(event: string, ...data: unknown[]): void;

  /**
   * Sends a frame as it stands on the wire. Throws as {@link send}.
   *
   * ```ts
   * ada.sendFrame({ type: "chat.message", channel: "news", data: { text: "hi" } });
   * ```
   */
  sendFrame(frame: SentFrame): void;

  /**
   * Sends an event and returns its acknowledgement: `undefined` where the handlers gave no answer. Throws {@link TurnFailed} where
   * its turn failed, or nobody handles the event (`no-handler`), and as {@link send}. An `await` before it changes nothing, so
   * that it may read as with `client.request` in a page.
   *
   * ```ts
   * assert.equal(ada.request("double", { number: 4 }), 8);
   * assert.throws(() => ada.request("double", { number: "four" }), { code: "not-a-number" });
   * ```
   */
  request(event: string, ...data: unknown[]): any;

  /**
   * Answers what the room asks this client: what `listener` returns is the answer, and `undefined` is one without data. The last
   * listener of an event counts. It answers when the turn that asked, and what followed from that, is over. Without a listener
   * nobody answers: the time runs out ({@link TestRoom.advance}), the socket leaves, or the test answers with {@link sendFrame}.
   *
   * ```ts
   * bob.onAsk("ready?", (data) => `yes, for ${data.game}`);
   * ada.send("start", { game: "chess" });
   * assert.deepEqual(ada.events().at(-1), { type: "answer", from: bob.id, outcome: "answered", data: "yes, for chess" });
   * ```
   */
  onAsk(event: string, listener: (data: any) => unknown): void;

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
   * `data`, which holds the event's name as `type`, with bytes as `Uint8Array`.
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

  /**
   * Breaks the line of a client that may come back: the socket stays a member, and `onLost` has run when this returns.
   *
   * ```ts
   * ada.loseLine();
   * assert.deepEqual(room.userIds, ["ada", "bob"]);
   * ```
   */
  loseLine(): void;

  /**
   * Has the client come back over another line, with nothing missing; `onBack` has run when this returns.
   *
   * ```ts
   * ada.loseLine();
   * ada.comeBack();
   * ```
   */
  comeBack(): void;
}
