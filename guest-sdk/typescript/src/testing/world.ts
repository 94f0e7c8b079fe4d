/** The server's part of a test room: members, storage, the table of events, and one turn at a time. */

import { randomUUID } from "node:crypto";
import type { Failed } from "../../types/testing.js";
import type { ContractMeta, ContractRejection, ContractRequest, Event, Failure, Payload } from "../host.js";
import { checkedMeta, payloadBytes, Refused, SUSPEND_BYTES } from "./bounds.js";
import {
  askAnswer,
  dataOf,
  errorFrame,
  sentData,
  type Acknowledgement,
  type Arrival,
  type Body,
  type EventData,
} from "./frames.js";
import { Histories, type Since } from "./histories.js";
import { HandlerFailed, Instance, NoInstance } from "./instance.js";
import { Members } from "./members.js";
import type { RoomModule } from "./module.js";
import { Schedule, type Ask } from "./schedule.js";
import { Storage } from "./storage.js";
import { Turn, type SaidElsewhere } from "./turn.js";

/** What one socket got, and what it answers when it is asked. */
interface Inbox {
  arrivals: Arrival[];
  readonly listeners: Map<string, (data: any) => unknown>;
  closed: { code: number; reason: string } | undefined;
}

/** What a client sends. */
export interface Sent {
  readonly name: string;
  readonly channel: string | null;
  readonly data: EventData;
  /** Given by a client that waits for an acknowledgement: it is called with that, behind what the turn emits. */
  readonly acknowledge?: (ack: Acknowledgement) => void;
}

/** A turn's end: its answer, or why it failed. The body is the answer for a client that waits for one. */
export type Outcome = { answer: Payload | null; body: Body | null } | { failed: Failed };

/** A turn that left no trace, and whether that is because it passed a bound. */
interface Undone {
  failure: Failure;
  isBound?: boolean;
}

const NO_ANSWER: Outcome = { answer: null, body: null };
/** How often clients and the room may ask each other before the test is told that they do so for ever. */
const ANSWERS_AT_ONCE = 1_000;

export class World {
  instance: Instance | undefined;
  /** The events that reach the plugin: what the instance asked for, or what the one that sleeps asked for at its start. */
  wanted: ReadonlySet<string> = new Set();
  members = new Members();
  storage = new Storage();
  schedule = new Schedule();
  histories = new Histories();
  turn: Turn | undefined;
  /** What the last instance left for the next. */
  suspended: Payload | null = null;
  readonly inboxes = new Map<number, Inbox>();
  readonly log: string[] = [];
  readonly failures: Failed[] = [];
  readonly elsewhere: SaidElsewhere[] = [];
  /** Of the randomness. */
  seed = 0n;
  #path = "";
  /** Clients that have yet to answer what they were asked. */
  #asked: (() => void)[] = [];
  /** How many turns are under way, each because of the one before. */
  #depth = 0;

  constructor(
    public module: RoomModule,
    readonly roomId: string,
    readonly config: Readonly<Record<string, string>>,
    public time: number,
  ) {
    this.instantiate();
  }

  /** A fresh instance, with memory and a table of events of its own. */
  instantiate(): void {
    this.#begin(new Instance(this.module, this));
  }

  #begin(instance: Instance): void {
    this.instance = instance;
    this.wanted = instance.events;
    this.#path = instance.definition.path;
    this.histories.keepOnly(instance.keeps.values());
  }

  /** Asks who this is, in an instance that is gone afterwards. */
  authorize(request: ContractRequest): ContractMeta | ContractRejection {
    const { pathname } = new URL(request.uri);
    if (pathname !== this.#path) {
      return { status: 404, message: `no plugin serves ${pathname}: this one serves ${this.#path}` };
    }
    try {
      const found = new Instance(this.module, this, true).authorize(request);
      return checkedMeta(found ?? { userId: randomUUID(), clientId: randomUUID(), channels: [], fields: "{}" });
    } catch (thrown) {
      if (thrown instanceof Refused || thrown instanceof NoInstance) return { status: 500, message: thrown.message };
      const { status, message } = (thrown ?? {}) as Partial<ContractRejection>;
      if (typeof status !== "number" || typeof message !== "string") throw thrown;
      return { status: status >= 400 && status < 600 ? status : 500, message };
    }
  }

  /** A socket becomes a member, and stays one if its `$connect` commits. */
  connect(meta: ContractMeta, since: readonly Since[] = []): number {
    const id = this.inboxes.size + 1;
    const inbox: Inbox = { arrivals: [], listeners: new Map(), closed: undefined };
    this.members.insert(id, meta);
    this.inboxes.set(id, inbox);
    const isFirst = this.members.ofUser(meta.userId).length === 1;
    if ("failed" in this.giveHook("$connect", undefined, id)) {
      this.members.forget(id);
      inbox.closed = { code: 1011, reason: "the plugin failed in $connect" };
    } else if (this.members.isPresent(id)) {
      // What was said in `$connect` to a channel of which it asked is among what it missed.
      const { channels } = this.members.meta(id);
      inbox.arrivals = this.histories.withMissed(inbox.arrivals, since, channels, Math.trunc(this.time));
      if (isFirst) this.giveHook("$user-join", { userId: meta.userId }, id);
    }
    return id;
  }

  /** A socket ends: it leaves all counts and channels, and `$disconnect` runs. */
  disconnect(id: number, code: number, reason: string): void {
    const inbox = this.inboxes.get(id);
    if (inbox === undefined || inbox.closed !== undefined) return;
    inbox.closed = { code, reason };
    this.members.depart(id);
    for (let ask = this.schedule.takeAsk(id); ask !== undefined; ask = this.schedule.takeAsk(id)) this.#endAsk(ask, "gone");
    // The turn has reported a failure already, and the socket is gone either way.
    this.giveHook("$disconnect", { code, reason }, id);
    const { userId } = this.members.meta(id);
    if (this.members.ofUser(userId).length === 0) this.giveHook("$user-leave", { userId }, id);
    this.members.forget(id);
  }

  /** Runs `$lost` or `$back` for a socket that is here. */
  lineChanged(id: number, news: "$lost" | "$back"): void {
    if (this.members.isPresent(id)) this.giveHook(news, undefined, id);
  }

  /** Handles what a client sent, if the plugin has a handler for it. */
  clientEvent(socket: number, { name, channel: named, data: sent, acknowledge }: Sent): Outcome {
    if (!this.members.isPresent(socket)) return NO_ANSWER;
    // Serialisers write a channel that is not set as `null` or as an empty string, and the data of a bare ping as `null`.
    const channel = named === "" ? null : named;
    const isNothing = sent.payload === null || (sent.payload.tag === "json" && sent.payload.val === "null");
    const bare = name === "ping" && channel === null && isNothing && acknowledge === undefined;
    const data = bare ? dataOf(null) : sent;
    if (bare) this.inboxes.get(socket)?.arrivals.push({ frame: { type: "pong" } });
    const asked = this.wanted.has(name) || this.wanted.has("*");
    // A bare keepalive is an event only where it was registered by name.
    if (bare ? !this.wanted.has(name) : !asked && !this.wanted.has("$message")) {
      if (acknowledge === undefined) return NO_ANSWER;
      acknowledge({ error: { code: "no-handler" } });
      return { failed: { event: name, code: "no-handler", message: `nobody handles ${name}` } };
    }
    const answerWanted = acknowledge !== undefined;
    const event = { name, channel, payload: data.payload, socket, answerWanted, acceptedAt: this.time };
    return this.#give({ cause: asked ? name : "$message", ...event }, data, acknowledge);
  }

  /** Takes a client's answer to an ask, if it was asked that and has not answered it yet. */
  clientAnswer(socket: number, id: number, data: EventData): void {
    if (!this.members.isPresent(socket)) return;
    const ask = this.schedule.takeAsk(socket, id);
    if (ask !== undefined) this.#endAsk(ask, "answered", data);
  }

  #endAsk({ name, socket }: Ask, outcome: "answered" | "timeout" | "gone", data = dataOf(null)): void {
    this.giveOwn("$ack", name, askAnswer(outcome, data), socket);
  }

  /** A hook of the host's, where the plugin asked for it. */
  giveHook(name: string, data?: unknown, socket: number | null = null): Outcome {
    return this.giveOwn(name, name, dataOf(data === undefined ? null : { tag: "json", val: JSON.stringify(data) }), socket);
  }

  /** An event of the host's own, where the plugin asked for its cause. */
  giveOwn(cause: string, name: string, data: EventData, socket: number | null = null): Outcome {
    if (!this.wanted.has(cause)) return NO_ANSWER;
    const event = { cause, name, channel: null, payload: data.payload, socket, answerWanted: false, acceptedAt: this.time };
    return this.#give(event, data);
  }

  /** One event and what follows from it: the turn, `$error` in a turn of its own if that failed, and clients' answers. */
  #give(event: Event, data: EventData, acknowledge?: Sent["acknowledge"]): Outcome {
    this.#depth += 1;
    try {
      this.wake();
      const outcome = this.runTurn(event, data, acknowledge);
      return "answer" in outcome ? outcome : { failed: this.#tell(event, outcome, acknowledge) };
    } finally {
      this.#depth -= 1;
      this.#settle();
    }
  }

  /** Tells of a failed turn whom it concerns. */
  #tell(event: Event, { failure, isBound }: Undone, acknowledge: Sent["acknowledge"]): Failed {
    const { code, message, forSender } = failure;
    const failed = { event: event.name, code, message };
    // The sender of an event hears that what it sent is too large to be passed on.
    const isClients = event.cause === "$message" || !event.cause.startsWith("$");
    const isTooLarge = isBound === true && isClients && code.startsWith("emit-bytes");
    const words = `${event.name} was not handled: its turn passed the bound ${code}`;
    const told = forSender ? { code, message } : isTooLarge ? { code: "limit-exceeded", message: words } : undefined;
    if (acknowledge !== undefined) acknowledge({ error: told ?? { code } });
    else if (told !== undefined) this.#arrive(event.socket, errorFrame(this.members.firstChannel(event.socket), told));
    if (forSender) return failed;
    this.failures.push(failed);
    // No `$error` for a failed `$error`.
    if (event.name !== "$error") this.giveHook("$error", failed, event.socket);
    return failed;
  }

  /** A socket gets this, if it is open. */
  #arrive(socket: number | null, arrival: Arrival): void {
    const inbox = socket === null ? undefined : this.inboxes.get(socket);
    if (inbox !== undefined && inbox.closed === undefined) inbox.arrivals.push(arrival);
  }

  /** Lets clients answer what they were asked, once nothing else goes on. */
  #settle(): void {
    for (let count = 0; this.#depth === 0; count += 1) {
      const next = this.#asked.shift();
      if (next === undefined) return;
      if (count >= ANSWERS_AT_ONCE) throw new Error("the room asks a client whenever that has answered, for ever");
      this.#depth += 1;
      try {
        next();
      } finally {
        this.#depth -= 1;
      }
    }
  }

  /** One turn: it commits, or it leaves no trace. */
  runTurn(event: Event, data: EventData, acknowledge?: Sent["acknowledge"]): Exclude<Outcome, { failed: Failed }> | Undone {
    const schedule = this.schedule.copy();
    // The alarm that runs is gone with this turn, unless the turn sets it anew.
    if (event.cause === "$alarm") schedule.forgetAlarm();
    const turn = new Turn(this.members.copy(), this.storage.ofTurn(), schedule, this.histories.copy(), event, data);
    let answer: Payload | null = null;
    let body: Body | null = null;
    let failure: Failure | undefined;
    this.turn = turn;
    try {
      answer = this.instance!.handle(event);
      if (answer !== null) body = turn.body(answer, acknowledge !== undefined);
    } catch (thrown) {
      failure = failureOf(thrown);
    } finally {
      this.turn = undefined;
    }
    const tooMuch = failure === undefined && event.cause === "$suspend" && payloadBytes(answer) > SUSPEND_BYTES;
    const bound = turn.poison ?? (tooMuch ? "suspend-bytes" : undefined);
    if (bound !== undefined) {
      return { failure: { code: bound, message: `the turn passed the bound ${bound}`, forSender: false }, isBound: true };
    }
    if (failure !== undefined) return { failure };
    this.#commit(turn, () => acknowledge?.({ body }));
    return { answer, body };
  }

  #commit({ members, storage, schedule, histories, emits, elsewhere, closes }: Turn, acknowledge: () => void): void {
    this.storage = storage;
    this.schedule = schedule;
    this.histories = histories;
    this.members = members;
    for (const { to, event, arrival, ask } of emits) {
      for (const id of to) this.inboxes.get(id)?.arrivals.push(structuredClone(arrival));
      const listener = ask === undefined ? undefined : this.inboxes.get(to[0]!)?.listeners.get(event);
      if (ask === undefined || listener === undefined) continue;
      this.#asked.push(() => this.clientAnswer(to[0]!, ask, sentData([listener(structuredClone(arrival.heard))])));
    }
    acknowledge();
    this.elsewhere.push(...elsewhere);
    for (const { socket, code, reason } of closes) this.disconnect(socket, code, reason);
  }

  /** Drops the instance, and keeps the state that `$suspend` returned. The turn has reported a failure already. */
  suspend(reason: string): void {
    const outcome = this.giveHook("$suspend", { reason });
    this.suspended = "answer" in outcome ? outcome.answer : null;
    // Registrations made in handlers end with the instance: only those made at its start wake the room.
    this.wanted = this.instance!.eventsAtStart;
    this.instance = undefined;
  }

  /** Makes an instance for the event that comes, where there is none. */
  wake(): void {
    if (this.instance !== undefined) return;
    this.instantiate();
    const state = this.suspended;
    this.suspended = null;
    if (this.#resume(state, "wake") !== undefined) this.#tellRestore("wake");
  }

  /** Runs `$restore` in a new instance that got no state or did not take it. The turn reports a failure itself. */
  #tellRestore(reason: string): void {
    this.giveHook("$restore", { reason });
  }

  /** A new instance of the same room. */
  restore(reason: string): void {
    this.instantiate();
    this.suspended = null;
    this.#tellRestore(reason);
  }

  /** The first turn of a new instance; says why it did not take the state. */
  #resume(state: Payload | null, reason: string): Failed | undefined {
    if (state === null || !this.wanted.has("$resume")) {
      this.#tellRestore(reason);
      return undefined;
    }
    const event = { cause: "$resume", name: "$resume", channel: null, payload: state, socket: null };
    const outcome = this.runTurn({ ...event, answerWanted: false, acceptedAt: this.time }, dataOf(state));
    this.#settle();
    if ("answer" in outcome) return undefined;
    const { code, message } = outcome.failure;
    const failed = { event: "$resume", code, message };
    this.failures.push(failed);
    return failed;
  }

  /** Moves to another version; says why that was undone. */
  swap(module: RoomModule): Failed | undefined {
    try {
      // Start the version once aside, like the server: one that does not start never reaches a room.
      new Instance(module, this, true);
    } catch (thrown) {
      if (!(thrown instanceof NoInstance)) throw thrown;
      return { event: "init", code: "no-instance", message: thrown.message };
    }
    if (this.instance !== undefined) this.suspend("swap");
    const before = this.module;
    const state = this.suspended;
    this.suspended = null;
    this.module = module;
    this.instantiate();
    const failed = this.#resume(state, "swap");
    if (failed === undefined) return undefined;
    this.module = before;
    this.instantiate();
    // Whatever the result, there is no version left to go back to.
    if (this.#resume(state, "swap") !== undefined) this.#tellRestore("swap");
    return failed;
  }

  /** Begins another process of the server, which has no sockets and no timers. */
  restart(): void {
    this.members = new Members();
    for (const inbox of this.inboxes.values()) inbox.closed ??= { code: 1006, reason: "" };
    this.schedule.restart();
    this.histories.restart();
    this.suspended = null;
    // A room that stores nothing begins as a new one: the server does not know that it existed.
    if (this.storage.keys().length > 0 || this.histories.isStored() || this.schedule.alarm() !== undefined) this.restore("restart");
    else this.instantiate();
  }

  /** Runs one timer or the alarm, where one is due by `until`, with the clock at its time; says which that was. */
  runDue(until: number): number | undefined {
    const due = this.schedule.takeDue(Math.trunc(this.time), until);
    if (due === undefined) return undefined;
    this.time = due.at;
    // The turn has reported a failure already.
    if ("timer" in due) {
      this.giveOwn("$timer", due.timer.name, dataOf(due.timer.data));
    } else if ("ask" in due) {
      this.#endAsk(due.ask, "timeout");
    } else {
      // Without a handler there is no turn to try again.
      if (!this.wanted.has("$alarm")) this.schedule.forgetAlarm();
      this.giveHook("$alarm", due.alarm);
    }
    return due.at;
  }
}

/** Why a turn leaves no trace, where that is no fault of the test's or the runtime's. */
function failureOf(thrown: unknown): Failure {
  if (thrown instanceof HandlerFailed) return thrown.failure;
  if (thrown instanceof Refused) return { code: "bad-answer", message: `the handler's answer: ${thrown.words}`, forSender: false };
  throw thrown;
}
