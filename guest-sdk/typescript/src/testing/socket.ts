/** A client of a test room. */

import type { ConnectionMeta } from "../../types/meta.js";
import type * as api from "../../types/testing.js";
import { bytesOf, NAME_BYTES } from "./bounds.js";
import { TurnFailed } from "./errors.js";
import { ackFrame, dataOf, heardAnswer, sentData, type Arrival, type EventData } from "./frames.js";
import type { Outcome, Sent, World } from "./world.js";

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

  send(event: string, ...data: unknown[]): void {
    this.#deliver(event, { data: sentData(data) });
  }

  sendFrame(frame: api.SentFrame): void {
    if (typeof frame !== "object" || frame === null) throw new TypeError(`a frame is an object, not ${String(frame)}`);
    const { type, channel = null, id } = frame;
    if (typeof channel !== "string" && channel !== null) throw new TypeError("a frame's `channel` is a string");
    if (id !== undefined && !(Number.isSafeInteger(id) && id >= 0)) throw new TypeError("a frame's `id` is an integer from 0");
    const data = dataIn(frame);
    if (type === "ack" && id !== undefined) return this.#world.clientAnswer(this.id, id, data);
    const acknowledge: Sent["acknowledge"] = (ack) => this.#inbox().arrivals.push({ frame: ackFrame(id!, ack) });
    this.#deliver(type, { channel, data, ...(id !== undefined && { acknowledge }) });
  }

  request(event: string, ...data: unknown[]): unknown {
    if (this.closed() !== undefined) throw new TurnFailed({ event, code: "closed", message: `socket ${this.id} is closed` });
    const outcome = this.#deliver(event, { data: sentData(data), acknowledge: () => undefined });
    if ("failed" in outcome) throw new TurnFailed(outcome.failed);
    return heardAnswer(outcome.body);
  }

  onAsk(event: string, listener: (data: any) => unknown): void {
    if (typeof listener !== "function") throw new TypeError("a listener is a function");
    this.#inbox().listeners.set(event, listener);
  }

  // A failure is told as the server tells it: to the sender, or to the log and `TestRoom.failures`.
  #deliver(name: string, { channel = null, ...sent }: Pick<Sent, "data" | "acknowledge"> & { channel?: string | null }): Outcome {
    checkEvent(name);
    return this.#world.clientEvent(this.id, { name, channel, ...sent });
  }

  #inbox() {
    return this.#world.inboxes.get(this.id)!;
  }

  #take(): Arrival[] {
    return this.#inbox().arrivals.splice(0);
  }

  received(): any[] {
    return this.#take().map(({ frame }) => frame);
  }

  events(): any[] {
    return this.#take().flatMap(({ heard }) => (heard === undefined ? [] : [heard]));
  }

  closed(): { code: number; reason: string } | undefined {
    const closed = this.#inbox().closed;
    return closed && { ...closed };
  }

  close(code = 1000, reason = ""): void {
    this.#world.disconnect(this.id, code, reason);
  }

  loseLine(): void {
    this.#world.lineChanged(this.id, "$lost");
  }

  comeBack(): void {
    this.#world.lineChanged(this.id, "$back");
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

/** What a frame carries: data, or bytes in the place of it. */
function dataIn({ data, base64 }: api.SentFrame): EventData {
  if (data !== undefined || base64 === undefined) return sentData([data]);
  return dataOf({ tag: "binary", val: new Uint8Array(Buffer.from(base64, "base64")) });
}
