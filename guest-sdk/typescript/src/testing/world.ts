/** The server's part of a test room: members, storage, the table of events, and one turn at a time. */

import { randomUUID } from "node:crypto";
import type { Failed } from "../../types/testing.js";
import type { ContractMeta, ContractRejection, ContractRequest, Event, Failure, Payload } from "../host.js";
import { checkedMeta, payloadBytes, Refused, SUSPEND_BYTES } from "./bounds.js";
import { HandlerFailed, Instance, NoInstance } from "./instance.js";
import { Members } from "./members.js";
import type { RoomModule } from "./module.js";
import { Schedule } from "./schedule.js";
import { Storage } from "./storage.js";
import { frame, Turn, type Frame } from "./turn.js";

/** What one socket got. */
interface Inbox {
  frames: Frame[];
  closed: { code: number; reason: string } | undefined;
}

/** A turn's end: its answer, or why it failed. */
export type Outcome = { answer: Payload | null } | { failed: Failed };

const NO_ANSWER: Outcome = { answer: null };

export class World {
  instance: Instance | undefined;
  /** The events that reach the plugin: what the instance asked for, or what the one that sleeps asked for at its start. */
  wanted: ReadonlySet<string> = new Set();
  members = new Members();
  storage = new Storage();
  schedule = new Schedule();
  turn: Turn | undefined;
  /** What the last instance left for the next. */
  suspended: Payload | null = null;
  readonly inboxes = new Map<number, Inbox>();
  readonly log: string[] = [];
  readonly failures: Failed[] = [];
  /** Of the randomness. */
  seed = 0n;
  #path = "";

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
  connect(meta: ContractMeta): number {
    const id = this.inboxes.size + 1;
    const inbox: Inbox = { frames: [], closed: undefined };
    this.members.insert(id, meta);
    this.inboxes.set(id, inbox);
    if ("failed" in this.giveHook("$connect", undefined, id)) {
      this.members.forget(id);
      inbox.closed = { code: 1011, reason: "the plugin failed in $connect" };
    }
    return id;
  }

  /** A socket ends: it leaves all counts and channels, and `$disconnect` runs. */
  disconnect(id: number, code: number, reason: string): void {
    const inbox = this.inboxes.get(id);
    if (inbox === undefined || inbox.closed !== undefined) return;
    inbox.closed = { code, reason };
    this.members.depart(id);
    // The turn has reported a failure already, and the socket is gone either way.
    this.giveHook("$disconnect", { code, reason }, id);
    this.members.forget(id);
  }

  /** Handles what a client sent, if the plugin has a handler for it. `data` is JSON text. */
  clientEvent(socket: number, name: string, named: string | null, sent: string | null, answerWanted: boolean): Outcome {
    if (!this.members.isPresent(socket)) return NO_ANSWER;
    // Serialisers write a channel that is not set as `null` or as an empty string, and the data of a bare ping as `null`.
    const channel = named === "" ? null : named;
    const bare = name === "ping" && channel === null && (sent === null || sent === "null");
    const data = bare ? null : sent;
    if (bare) this.inboxes.get(socket)?.frames.push({ type: "pong" });
    const asked = this.wanted.has(name) || this.wanted.has("*");
    // A bare keepalive is an event only where it was registered by name.
    if (bare ? !this.wanted.has(name) : !asked && !this.wanted.has("$message")) return NO_ANSWER;
    const cause = asked ? name : "$message";
    const payload: Payload | null = data === null ? null : { tag: "json", val: data };
    return this.#give({ cause, name, channel, payload, socket, answerWanted, acceptedAt: this.time });
  }

  /** A hook of the host's, where the plugin asked for it. */
  giveHook(name: string, data?: unknown, socket: number | null = null): Outcome {
    return this.giveOwn(name, name, data === undefined ? null : { tag: "json", val: JSON.stringify(data) }, socket);
  }

  /** An event of the host's own, where the plugin asked for its cause. */
  giveOwn(cause: string, name: string, payload: Payload | null, socket: number | null = null): Outcome {
    if (!this.wanted.has(cause)) return NO_ANSWER;
    return this.#give({ cause, name, channel: null, payload, socket, answerWanted: false, acceptedAt: this.time });
  }

  /** One event and what follows from it: the turn, and `$error` in a turn of its own if that failed. */
  #give(event: Event): Outcome {
    this.wake();
    const outcome = this.runTurn(event);
    if ("answer" in outcome) return outcome;
    const { code, message, forSender } = outcome.failure;
    const failed = { event: event.name, code, message };
    if (forSender) {
      this.#tellSender(event.socket, code, message);
      return { failed };
    }
    this.failures.push(failed);
    // The sender of an event hears that what it sent is too large to be passed on.
    const isClients = event.cause === "$message" || !event.cause.startsWith("$");
    if (outcome.isBound && isClients && code.startsWith("emit-bytes")) {
      const words = `${event.name} was not handled: its turn passed the bound ${code}`;
      this.#tellSender(event.socket, "limit-exceeded", words);
    }
    // No `$error` for a failed `$error`.
    if (event.name !== "$error") this.giveHook("$error", failed, event.socket);
    return { failed };
  }

  #tellSender(socket: number | null, code: string, message: string): void {
    const inbox = socket === null ? undefined : this.inboxes.get(socket);
    if (inbox === undefined || inbox.closed !== undefined) return;
    inbox.frames.push(frame(this.members.firstChannel(socket), "error", { code, message }));
  }

  /** One turn: it commits, or it leaves no trace. */
  runTurn(event: Event): { answer: Payload | null } | { failure: Failure; isBound?: boolean } {
    const schedule = this.schedule.copy();
    // The alarm that runs is gone with this turn, unless the turn sets it anew.
    if (event.cause === "$alarm") schedule.forgetAlarm();
    const turn = new Turn(this.members.copy(), this.storage.ofTurn(), schedule, event.socket, event.acceptedAt);
    let answer: Payload | null = null;
    let failure: Failure | undefined;
    this.turn = turn;
    try {
      answer = this.instance!.handle(event);
    } catch (thrown) {
      if (!(thrown instanceof HandlerFailed)) throw thrown;
      failure = thrown.failure;
    } finally {
      this.turn = undefined;
    }
    const tooMuch = failure === undefined && event.cause === "$suspend" && payloadBytes(answer) > SUSPEND_BYTES;
    const bound = turn.poison ?? (tooMuch ? "suspend-bytes" : undefined);
    if (bound !== undefined) {
      return { failure: { code: bound, message: `the turn passed the bound ${bound}`, forSender: false }, isBound: true };
    }
    if (failure !== undefined) return { failure };
    this.#commit(turn);
    return { answer };
  }

  #commit({ members, storage, schedule, emits, closes }: Turn): void {
    this.storage = storage;
    this.schedule = schedule;
    this.members = members;
    for (const { to, frame } of emits) for (const id of to) this.inboxes.get(id)?.frames.push(structuredClone(frame));
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
    const outcome = this.runTurn({ ...event, answerWanted: false, acceptedAt: this.time });
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
    this.suspended = null;
    // A room that stores nothing begins as a new one: the server does not know that it existed.
    if (this.storage.keys().length > 0 || this.schedule.alarm() !== undefined) this.restore("restart");
    else this.instantiate();
  }

  /** Runs one timer or the alarm, where one is due by `until`, with the clock at its time; says which that was. */
  runDue(until: number): number | undefined {
    const due = this.schedule.takeDue(Math.trunc(this.time), until);
    if (due === undefined) return undefined;
    this.time = due.at;
    // The turn has reported a failure already.
    if ("timer" in due) {
      this.giveOwn("$timer", due.timer.name, due.timer.data);
    } else {
      // Without a handler there is no turn to try again.
      if (!this.wanted.has("$alarm")) this.schedule.forgetAlarm();
      this.giveHook("$alarm", due.alarm);
    }
    return due.at;
  }
}
