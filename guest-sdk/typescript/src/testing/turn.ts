/** One turn of the test room: copies that its calls change, and what it asked for. */

import type { Payload } from "../host.js";
import * as bounds from "./bounds.js";
import { checkName, exceeded, invalid, type Refused } from "./bounds.js";
import type { Members } from "./members.js";
import type { Schedule } from "./schedule.js";
import type { Storage } from "./storage.js";

/** The close codes that a plugin may use, beside 3000 to 4999. */
const CLOSE_CODES = [1000, 1008, 1011, 1012, 1013];

/** Whom an emit is for, in the contract's words. */
export type Target =
  | { socket: number }
  | { named: string }
  | { channel: string; except?: string[] }
  | { user: string }
  | { clients: string[] };

/** A frame for the sockets that its emit addressed at the call. */
interface Emit {
  to: number[];
  frame: Frame;
}

/** A frame as clients see it on the wire. */
export type Frame = { type: "event"; channel: string; data: Record<string, unknown> } | { type: "pong" };

interface Close {
  socket: number;
  code: number;
  reason: string;
}

export class Turn {
  readonly emits: Emit[] = [];
  readonly closes: Close[] = [];
  /** The limit that the turn exceeded, if any: then it cannot commit. */
  poison: string | undefined;
  #calls = 0;
  #emitBytes = 0;
  #deliveries = 0;

  constructor(
    readonly members: Members,
    readonly storage: Storage,
    readonly schedule: Schedule,
    readonly sender: number | null,
    readonly acceptedAt: number,
  ) {}

  /** Counts a call into the host. */
  countCall(): void {
    this.#calls += 1;
    if (this.#calls > bounds.HOST_CALLS_PER_TURN) throw this.#pass("host-calls-per-turn");
  }

  /** Notes that the turn exceeded a limit: it cannot commit, even if the handler goes on. */
  #pass(bound: string): Refused {
    this.poison ??= bound;
    return exceeded(bound);
  }

  emit(target: Target, event: string, body: Payload): number {
    if (body.tag !== "json") throw invalid("data must be JSON: the sockets of this room speak Verani frames");
    const bytes = bounds.bytesOf(body.val);
    if (bytes > bounds.EMIT_BYTES) throw this.#pass("emit-bytes");
    const data = bounds.checkJson(body.val);
    checkName("the event", event);
    if (event.startsWith("$")) throw invalid("an event whose name begins with $ is the host's own");
    const { to, channel } = this.#resolve(target);
    this.#charge(bytes, to.length);
    this.emits.push({ to, frame: frame(channel, event, data) });
    return to.length;
  }

  #charge(bytes: number, receivers: number): void {
    if (this.emits.length >= bounds.EMITS_PER_TURN) throw this.#pass("emits-per-turn");
    if (this.#emitBytes + bytes > bounds.EMIT_BYTES_PER_TURN) throw this.#pass("emit-bytes-per-turn");
    if (this.#deliveries + receivers > bounds.DELIVERIES_PER_TURN) throw this.#pass("deliveries-per-turn");
    this.#emitBytes += bytes;
    this.#deliveries += receivers;
  }

  /** The sockets that a target names now, and the channel that the frame carries. */
  #resolve(target: Target): { to: number[]; channel: string } {
    const { members, sender } = this;
    if ("socket" in target) {
      if (!members.isPresent(target.socket)) return { to: [], channel: "default" };
      return { to: [target.socket], channel: members.firstChannel(target.socket) };
    }
    if ("channel" in target) {
      checkName("the channel", target.channel);
      const excluded = members.ofClients(target.except ?? []);
      const to = members.inChannel(target.channel).filter((id) => !excluded.includes(id));
      return { to, channel: target.channel };
    }
    const channel = members.firstChannel(sender);
    if ("user" in target) return { to: members.ofUser(target.user), channel };
    if ("clients" in target) return { to: members.ofClients(target.clients), channel };
    const group = members.inChannel(target.named);
    if (sender === null || !group.includes(sender)) return { to: members.ofUser(target.named), channel };
    return { to: group.filter((id) => id !== sender), channel: target.named };
  }

  close(socket: number, code: number, reason: string): void {
    // Of several closes of one socket in a turn the first counts.
    const isClosed = this.closes.some((close) => close.socket === socket);
    if (!isClosed) this.members.changeable(socket);
    if (!CLOSE_CODES.includes(code) && !(code >= 3000 && code < 5000)) {
      throw invalid(`the close code ${code} must be 1000, 1008, 1011 to 1013 or 3000 to 4999`);
    }
    if (bounds.bytesOf(reason) > bounds.CLOSE_REASON_BYTES) {
      throw invalid(`a close reason must be at most ${bounds.CLOSE_REASON_BYTES} bytes`);
    }
    if (isClosed) return;
    this.members.depart(socket);
    this.closes.push({ socket, code, reason });
  }
}

/** An emit as clients see it on the wire. */
export function frame(channel: string, event: string, data: unknown): Frame {
  const isObject = typeof data === "object" && data !== null && !Array.isArray(data);
  return { type: "event", channel, data: { ...(isObject ? data : { data }), type: event } };
}
