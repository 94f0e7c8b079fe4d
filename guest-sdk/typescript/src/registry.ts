/** The handlers of each event, and what the host must be asked for so that they run. */

import { Answer } from "./answer.js";
import { write } from "./console.js";
import { ackOf, dataOf, give, type Context } from "./ctx.js";
import { RoomError, asked, byteLength, refusal } from "./errors.js";
import { eventsOff, eventsOn, type Event } from "./host.js";
import { isThenable, waitFor } from "./loop.js";

/** The contract's name for all events of clients. */
const ANY = "*";
const NAME_BYTES = 128;

export type Handler = (ctx: any, data: any, ack?: any) => unknown;

/** The handlers of one name. `on` and `off` replace the list: an event that is running keeps the one that it began with. */
type Table = Map<string, readonly Handler[]>;

export const events: Table = new Map();
export const timers: Table = new Map();
export const acks: Table = new Map();

/** What the host has one hook for, whatever the name: the SDK itself finds the handlers of the name. */
interface Named {
  readonly table: Table;
  /** What such a name is, and what adds a handler for it. */
  readonly what: string;
  readonly call: string;
}
const named = new Map<string, Named>([
  ["$timer", { table: timers, what: "the timer", call: "room.onTimer" }],
  ["$ack", { table: acks, what: "answers to the ask", call: "room.onAck" }],
]);

/** Whether the host knows the handlers. From then on each change goes to the host. */
let started = false;

/** Whether any handler needs this event of the host. */
function wants(event: string): boolean {
  return events.has(event) || (named.get(event)?.table.size ?? 0) > 0;
}

function hostEvent(table: Table, name: string): string {
  for (const [hook, one] of named) if (one.table === table) return hook;
  return name;
}

/** Adds a handler behind the others of its name. If the host refuses the name, adds nothing. */
export function add(table: Table, name: string, handler: Handler, call: string): void {
  const bytes = typeof name === "string" ? byteLength(name) : 0;
  if (bytes < 1 || bytes > NAME_BYTES) {
    throw new RoomError("invalid", `${call}: a name must be a string of 1 to ${NAME_BYTES} bytes`);
  }
  if (typeof handler !== "function") {
    throw new RoomError("invalid", `${call}(${JSON.stringify(name)}): the handler must be a function`);
  }
  const event = hostEvent(table, name);
  if (started && !wants(event)) asked(() => eventsOn(event));
  table.set(name, [...(table.get(name) ?? []), handler]);
}

/** Removes one handler, the first of several equal ones. If it was the event's last, the host no longer raises the event. */
export function remove(table: Table, name: string, handler: Handler): boolean {
  const list = table.get(name);
  const at = list?.indexOf(handler) ?? -1;
  if (list === undefined || at < 0) return false;
  if (list.length > 1) {
    table.set(name, list.toSpliced(at, 1));
  } else {
    table.delete(name);
    unlessWanted(hostEvent(table, name));
  }
  return true;
}

/** Removes all handlers of a name. For the hook of timers, removes those of all timers; for that of answers likewise. */
export function removeAll(table: Table, name: string): boolean {
  const event = hostEvent(table, name);
  const wanted = table === events ? wants(event) : table.has(name);
  table.delete(name);
  if (table === events) named.get(name)?.table.clear();
  if (wanted) unlessWanted(event);
  return wanted;
}

/** Tells the host that an event is not needed any more, if no handler needs it. */
function unlessWanted(event: string): void {
  if (started && !wants(event)) asked(() => eventsOff(event));
}

/** Asks the host for all events that have handlers, each once. */
export function start(): void {
  started = true;
  const names = new Set(events.keys());
  for (const [hook, { table }] of named) if (table.size > 0) names.add(hook);
  for (const name of names) {
    try {
      eventsOn(name);
    } catch (thrown) {
      throw new Error(`cannot register \`${name}\``, { cause: refusal(thrown) });
    }
  }
}

/**
 * Runs the handlers that an event is for: its own in the order of registration, then those for all events, each awaited.
 * The first error ends it.
 */
export function dispatch(ctx: Context): void {
  const event = ctx._event;
  const cause = event.cause;
  let own: readonly Handler[] | undefined;
  let behind: readonly Handler[] | undefined;
  const one = named.get(cause);
  if (one !== undefined) {
    own = one.table.get(event.name);
    behind = events.get(cause);
    if (own === undefined && behind === undefined) {
      // Not a failure: what set or asked it may have been another version, and nothing else is lost.
      write("warn", `nobody handles ${one.what} ${JSON.stringify(event.name)}: add ${one.call}`);
    }
  } else {
    own = events.get(cause);
    behind = events.get(ANY);
    // `*` is for events of clients. Hooks and the bare keepalive are none, and of a client's event `*` they are its own.
    if (behind !== undefined && (cause.startsWith("$") || cause === ANY || isKeepalive(event))) behind = undefined;
  }
  if (own !== undefined) run(own, ctx);
  if (behind !== undefined) run(behind, ctx);
}

/** A bare ping: the client's keepalive, which the host answered already. */
function isKeepalive({ name, payload, channel }: Event): boolean {
  return name === "ping" && payload === null && channel === null;
}

/** The handlers of an event of clients, those for all events behind its own. */
export function handlersOf(event: string): readonly Handler[] {
  const [own = [], behind = []] = [events.get(event), event === ANY ? undefined : events.get(ANY)];
  return [...own, ...behind];
}

function run(handlers: readonly Handler[], ctx: Context): void {
  const ack = ackOf(ctx);
  for (let i = 0; i < handlers.length; i += 1) {
    let result = handlers[i]!(ctx, dataOf(ctx), ack);
    if (result === undefined || typeof result === "number") continue;
    if (isThenable(result)) result = waitFor(result, `a handler of ${JSON.stringify(ctx._event.name)}`);
    if (result instanceof Answer) give(ctx, result);
  }
}
