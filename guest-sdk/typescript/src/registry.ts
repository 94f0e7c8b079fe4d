/** The handlers of each event, and what the host must be asked for so that they run. */

import { write } from "./console.js";
import { RoomError, asked, byteLength, withCauses } from "./errors.js";
import { eventsOff, eventsOn, hasHost, setHandlers } from "./host.js";

/** The contract's name for all events of clients. */
const ANY = "*";
const NAME_BYTES = 128;

export type Handler = (ctx: any, data: any, ack?: any) => unknown;

/**
 * The handlers of each name. `on` and `off` replace the list: an event that is running keeps the one that it began with. The
 * engine, which runs them, has the same lists (`engine/handlers.c`).
 */
class Table extends Map<string, readonly Handler[]> {
  constructor(readonly _id: number) {
    super();
  }

  override set(name: string, list: readonly Handler[]): this {
    setHandlers(this._id, name, list);
    return super.set(name, list);
  }

  override delete(name: string): boolean {
    setHandlers(this._id, name, undefined);
    return super.delete(name);
  }

  override clear(): void {
    for (const name of this.keys()) this.delete(name);
  }
}

export const events = new Table(0);
export const timers = new Table(1);
export const acks = new Table(2);

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
  // The engine asks for those that there are when a host begins; from then on each change goes to the host.
  if (hasHost() && !wants(event)) asked(() => eventsOn(event));
  table.set(name, [...(table.get(name) ?? []), handler]);
}

/** Adds a handler of the SDK's own before all others of a hook. Only at the top level. */
export function addFirst(hook: string, handler: Handler): void {
  events.set(hook, [handler, ...(events.get(hook) ?? [])]);
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
  if (hasHost() && !wants(event)) asked(() => eventsOff(event));
}

/** Why a room cannot begin: the host does not take the name of an event. */
export function unregistered(name: string, cause: unknown): string {
  return withCauses(new Error(`cannot register \`${name}\``, { cause }));
}

/** The handlers of an event of clients, those for all events behind its own. */
export function handlersOf(event: string): readonly Handler[] {
  const [own = [], behind = []] = [events.get(event), event === ANY ? undefined : events.get(ANY)];
  return [...own, ...behind];
}

/** Says that a timer or an answer came that no handler is for. */
export function noHandler(name: string, isTimer: boolean): void {
  const { what, call } = named.get(isTimer ? "$timer" : "$ack")!;
  write("warn", `nobody handles ${what} ${JSON.stringify(name)}: add ${call}`);
}
