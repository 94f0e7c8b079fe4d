/** One turn of the test room: copies that its calls change, and what it asked for. */

import type { Event, Payload } from "../host.js";
import * as bounds from "./bounds.js";
import { checkName, exceeded, invalid, noSuchSocket, type Refused } from "./bounds.js";
import { eventFrame, type Arrival, type Body, type EventData } from "./frames.js";
import type { Histories } from "./histories.js";
import type { Members } from "./members.js";
import type { Schedule } from "./schedule.js";
import type { Storage } from "./storage.js";

/** The close codes that a plugin may use, beside 3000 to 4999. */
const CLOSE_CODES = [1000, 1008, 1011, 1012, 1013];

/** A room of the same plugin, or `PLUGIN/ROOM`. */
const PLACE = /^(?:[a-z0-9][a-z0-9-]{0,62}\/)?[A-Za-z0-9._~-]{1,128}$/;

/** Whom an emit is for, in the contract's words. */
export type Target =
  | { socket: number }
  | { named: string }
  | { channel: string; users?: string[] | null; clients?: string[] | null; except?: string[] }
  | { user: string }
  | { clients: string[] };

/** What one call says, for the sockets that it addressed. */
interface Emit {
  to: number[];
  event: string;
  arrival: Arrival;
  /** The number of the ask that this is. */
  ask?: number;
}

/** What a turn says in another room. */
export interface SaidElsewhere {
  room: string;
  channel?: string;
  users?: string[];
  clients?: string[];
  event: string;
  data: unknown;
}

interface Close {
  socket: number;
  code: number;
  reason: string;
}

export class Turn {
  readonly emits: Emit[] = [];
  readonly elsewhere: SaidElsewhere[] = [];
  readonly closes: Close[] = [];
  /** The limit that the turn exceeded, if any: then it cannot commit. */
  poison: string | undefined;
  #calls = 0;
  #emitBytes = 0;
  #deliveries = 0;
  /** What was given for the next emit, ask or answer. */
  #attachments: Uint8Array[] = [];
  #isSpread = false;

  constructor(
    readonly members: Members,
    readonly storage: Storage,
    readonly schedule: Schedule,
    readonly histories: Histories,
    readonly event: Event,
    readonly data: EventData,
  ) {}

  get acceptedAt(): number {
    return this.event.acceptedAt;
  }

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

  attach(bytes: Uint8Array): number {
    const number = this.#attachments.length;
    if (number >= bounds.ATTACHMENTS_PER_EVENT) throw this.#pass("attachments-per-event");
    this.#checkSize(bounds.totalBytes(this.#attachments) + bytes.length);
    this.#attachments.push(bytes);
    return number;
  }

  spread(): void {
    this.#isSpread = true;
  }

  /** Takes what was given for this payload, whether it is refused or not. An answer that nobody waits for may have any size. */
  body(payload: Payload, isHeard = true): Body {
    const [attachments, isSpread] = [this.#attachments, this.#isSpread];
    this.#attachments = [];
    this.#isSpread = false;
    if (isHeard) this.#checkSize(bounds.payloadBytes(payload) + bounds.totalBytes(attachments));
    if (payload.tag === "binary" && attachments.length > 0) {
      throw invalid("data with attachments must be JSON, which names them");
    }
    const data = payload.tag === "json" ? bounds.checkJson(payload.val) : undefined;
    if (isSpread && !Array.isArray(data)) throw invalid("several arguments must be a JSON array");
    return { payload, attachments };
  }

  #checkSize(bytes: number): void {
    if (bytes > bounds.EMIT_BYTES) throw this.#pass("emit-bytes");
  }

  emit(target: Target, event: string, payload: Payload): number {
    const body = this.body(payload);
    checkEvent(event);
    const { to, channel, isWhole } = this.#resolve(target);
    this.#charge(body, to.length);
    const at = isWhole ? this.histories.say(channel, event, body, Math.trunc(this.acceptedAt)) : undefined;
    this.emits.push({ to, event, arrival: eventFrame(channel, event, body, at === undefined ? {} : { at }) });
    return to.length;
  }

  emitElsewhere(
    room: string,
    { channel, users, clients }: { channel: string | null; users: string[] | null; clients: string[] | null },
    event: string,
    payload: Payload,
  ): void {
    const body = this.body(payload);
    if (payload.tag !== "json") throw invalid("the data of an emit into another room must be JSON");
    if (body.attachments.length > 0) throw invalid("an emit into another room takes no bytes");
    if (!PLACE.test(room)) throw invalid("a room's id must be 1 to 128 of A-Z, a-z, 0-9, ., _, ~ and -");
    checkEvent(event);
    if (channel === null && users === null && clients === null) {
      throw invalid("an emit into another room names a channel, users or clients");
    }
    this.#charge(body, 1);
    const whom = { ...(channel !== null && { channel }), ...(users !== null && { users }), ...(clients !== null && { clients }) };
    this.elsewhere.push({ room, ...whom, event, data: JSON.parse(payload.val) });
  }

  ask(socket: number, event: string, payload: Payload, name: string, timeoutMs: number): void {
    const body = this.body(payload);
    if (!this.members.isPresent(socket)) throw noSuchSocket();
    checkEvent(event);
    checkName("an ask's name", name);
    if (timeoutMs < 1 || timeoutMs > bounds.ASK_MS) throw invalid(`an ask must time out after 1 to ${bounds.ASK_MS} ms`);
    this.schedule.checkAsks(socket);
    this.#charge(body, 1);
    const ask = this.schedule.addAsk(socket, name, Math.trunc(this.acceptedAt) + timeoutMs);
    const arrival = eventFrame(this.members.firstChannel(socket), event, body, { id: ask });
    this.emits.push({ to: [socket], event, arrival, ask });
  }

  #charge({ payload, attachments }: Body, receivers: number): void {
    const bytes = bounds.payloadBytes(payload) + bounds.totalBytes(attachments);
    if (this.emits.length + this.elsewhere.length >= bounds.EMITS_PER_TURN) throw this.#pass("emits-per-turn");
    if (this.#emitBytes + bytes > bounds.EMIT_BYTES_PER_TURN) throw this.#pass("emit-bytes-per-turn");
    if (this.#deliveries + receivers > bounds.DELIVERIES_PER_TURN) throw this.#pass("deliveries-per-turn");
    this.#emitBytes += bytes;
    this.#deliveries += receivers;
  }

  ofChannel(channel: string, after: number | null, limit: number): number[] {
    if (limit < 1 || limit > bounds.SOCKETS_PER_PAGE) throw invalid(`limit must be 1 to ${bounds.SOCKETS_PER_PAGE}, not ${limit}`);
    return this.members.page(channel, after, limit);
  }

  /**
   * The sockets that a target names now, the channel that the frame carries, and whether it is said to the whole of that, so that
   * the channel's history has it.
   */
  #resolve(target: Target): { to: number[]; channel: string; isWhole?: boolean } {
    const { members } = this;
    const sender = this.event.socket;
    if ("socket" in target) {
      if (!members.isPresent(target.socket)) return { to: [], channel: "default" };
      return { to: [target.socket], channel: members.firstChannel(target.socket) };
    }
    if ("channel" in target) {
      checkName("the channel", target.channel);
      const excluded = members.ofClients(target.except ?? []);
      const to = members.some(target.channel, target.users ?? null, target.clients ?? null).filter((id) => !excluded.includes(id));
      return { to, channel: target.channel, isWhole: target.users === undefined };
    }
    const channel = members.firstChannel(sender);
    if ("user" in target) return { to: members.ofUser(target.user), channel };
    if ("clients" in target) return { to: members.ofClients(target.clients), channel };
    const group = members.inChannel(target.named);
    if (sender === null || !group.includes(sender)) return { to: members.ofUser(target.named), channel };
    return { to: group.filter((id) => id !== sender), channel: target.named, isWhole: true };
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

function checkEvent(event: string): void {
  checkName("the event", event);
  if (event.startsWith("$")) throw invalid("an event whose name begins with $ is the host's own");
}
