/** A client of a test room. */

import type { ConnectionMeta } from "../../types/meta.js";
import type * as api from "../../types/testing.js";
import { bytesOf, EMIT_BYTES, isDeeperThan, JSON_DEPTH, NAME_BYTES } from "./bounds.js";
import { TurnFailed } from "./errors.js";
import type { Outcome, World } from "./world.js";

export class TestSocket implements api.TestSocket {
  readonly #world: World;

  constructor(
    world: World,
    readonly id: number,
  ) {
    this.#world = world;
  }

  get meta(): ConnectionMeta {
    if (!this.#world.members.isPresent(this.id)) throw new Error(`socket ${this.id} has left the room`);
    const { userId, clientId, channels, fields } = this.#world.members.meta(this.id);
    return { ...JSON.parse(fields), userId, clientId, channels: [...channels] };
  }

  send(event: string, data?: unknown): void {
    this.#deliver(event, null, data, false);
  }

  sendFrame(frame: { type: string; channel?: string; data?: unknown }): void {
    if (typeof frame !== "object" || frame === null) throw new TypeError(`a frame is an object, not ${String(frame)}`);
    const { type, channel = null, data } = frame;
    if (typeof channel !== "string" && channel !== null) throw new TypeError("a frame's `channel` is a string");
    this.#deliver(type, channel, data, false);
  }

  ask(event: string, data?: unknown): unknown {
    const outcome = this.#deliver(event, null, data, true);
    if ("failed" in outcome) throw new TurnFailed(outcome.failed);
    if (outcome.answer === null) return undefined;
    return outcome.answer.tag === "json" ? JSON.parse(outcome.answer.val) : outcome.answer.val;
  }

  // A failure is told as the server tells it: to the sender, or to the log and `TestRoom.failures`.
  #deliver(event: string, channel: string | null, data: unknown, answerWanted: boolean): Outcome {
    checkEvent(event);
    return this.#world.clientEvent(this.id, event, channel, data === undefined ? null : jsonOf(data), answerWanted);
  }

  received(): any[] {
    return this.#world.inboxes.get(this.id)!.frames.splice(0);
  }

  events(): any[] {
    return this.received().flatMap((frame) => (frame.type === "event" ? [frame.data] : []));
  }

  closed(): { code: number; reason: string } | undefined {
    const closed = this.#world.inboxes.get(this.id)!.closed;
    return closed && { ...closed };
  }

  close(code = 1000, reason = ""): void {
    this.#world.disconnect(this.id, code, reason);
  }
}

function checkEvent(event: unknown): void {
  if (typeof event !== "string") throw new TypeError(`an event's name is a string, not ${String(event)}`);
  if (event.startsWith("$")) {
    throw new Error(`a client cannot send ${event}: names that begin with \`$\` are the host's`);
  }
  const bytes = bytesOf(event);
  if (bytes < 1 || bytes > NAME_BYTES) throw new Error(`an event's name has 1 to ${NAME_BYTES} bytes, not ${bytes}`);
}

function jsonOf(data: unknown): string {
  const text: string | undefined = JSON.stringify(data);
  if (text === undefined) throw new TypeError(`JSON has no form of a ${typeof data}: a client cannot send it`);
  if (bytesOf(text) > EMIT_BYTES) throw new Error(`a client sends up to ${EMIT_BYTES} bytes of JSON, not ${bytesOf(text)}`);
  if (isDeeperThan(text, JSON_DEPTH)) throw new Error(`a client sends JSON of up to ${JSON_DEPTH} levels`);
  return text;
}
