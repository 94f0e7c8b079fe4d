/** Registration: what a plugin says of its room. */

import type { Disconnect, EventHandler, FailedTurn, Keeping, RoomDefinition, RoomEventEmitter, Suspended } from "../types/index.js";
import { actor } from "./actor.js";
import { callAll, through } from "./emitter.js";
import { RoomError } from "./errors.js";
import { keepHistory } from "./history.js";
import { needText } from "./payload.js";
import * as presence from "./presence.js";
import * as registry from "./registry.js";
import type { Handler } from "./registry.js";
import * as suspend from "./suspend.js";

let defined: RoomDefinition<any> | undefined;

/** What the plugin says of its room; none where it has not said anything yet. */
export function definition(): RoomDefinition<any> | undefined {
  return defined;
}

/** What a room keeps of its definition, as Verani's do. */
const KEPT = [
  "name",
  "websocketPath",
  "extractMeta",
  "onConnect",
  "onDisconnect",
  "onMessage",
  "onError",
  "onHibernationRestore",
  "onRestore",
  "onAlarm",
  "onUserJoin",
  "onUserLeave",
  "onLost",
  "onBack",
  "onCheck",
] as const;

/** The handlers of the room itself, as an emitter. */
const registered: RoomEventEmitter<any> = {
  on: (event, handler) => registry.add(registry.events, event, handler, "room.on"),
  off: (event, handler) => off(registry.events, event, handler),
  emit: (event, ctx, data) => callAll(registry.handlersOf(event), ctx, data),
  hasHandlers: (event) => registry.handlersOf(event).length > 0,
  getEventNames: () => [...registry.events.keys()].filter((event) => !event.startsWith("$")),
  // They are registered where the module says so, which every instance has behind it.
  rebuildHandlers: () => undefined,
};

/** What `defineRoom` returns. */
class Room {
  readonly eventEmitter: RoomEventEmitter<any>;

  constructor(given: RoomDefinition<any>) {
    for (const name of KEPT) if (given[name] !== undefined) (this as any)[name] = given[name];
    this.eventEmitter = given.eventEmitter ?? registered;
  }

  on(event: string, handler: EventHandler<any>): void {
    if (typeof event === "string" && event.startsWith("$")) registered.on(event, handler);
    else this.eventEmitter.on(event, handler);
  }

  off(event: string, handler?: EventHandler<any>): boolean {
    const emitter = typeof event === "string" && event.startsWith("$") ? registered : this.eventEmitter;
    return emitter.off(event, handler) as boolean;
  }

  emit(event: string, ctx: unknown, data: unknown): Promise<void> {
    return this.eventEmitter.emit(event, ctx as any, data);
  }

  onTimer(name: string, handler: Handler): void {
    registry.add(registry.timers, name, handler, "room.onTimer");
  }

  offTimer(name: string, handler?: Handler): boolean {
    return off(registry.timers, name, handler);
  }

  onAck(name: string, handler: Handler): void {
    registry.add(registry.acks, name, handler, "room.onAck");
  }

  offAck(name: string, handler?: Handler): boolean {
    return off(registry.acks, name, handler);
  }

  keepHistory(channel: string, keeping?: Keeping): void {
    keepHistory(channel, keeping);
  }

  presence(channel: string): void {
    presence.follow(needText(channel, "a channel"));
  }

  onSuspend(schema: string, save: Handler): void {
    suspend.onSuspend(schema, save);
  }

  onResume(schema: string, handler: Handler): void {
    suspend.onResume(schema, handler);
  }

  onResumeAny(handler: (ctx: any, found: Suspended) => unknown): void {
    suspend.onResumeAny(handler);
  }
}

function off(table: typeof registry.events, name: string, handler: Handler | undefined): boolean {
  return handler === undefined ? registry.removeAll(table, name) : registry.remove(table, name, handler);
}

export function defineRoom(given: RoomDefinition<any> = {}): Room {
  if (typeof given !== "object" || given === null) {
    throw new RoomError("invalid", "defineRoom takes an object that says what the room is");
  }
  if (defined !== undefined) {
    throw new RoomError("invalid", "a plugin has one room, and this is the second defineRoom: make two plugins of them");
  }
  checkPath(given.websocketPath);
  if (given.extractMeta !== undefined && typeof given.extractMeta !== "function") {
    throw new RoomError("invalid", "defineRoom: extractMeta must be a function");
  }
  defined = given;
  const hook = (name: keyof RoomDefinition<any>, event: string, handler: Handler) => {
    if (given[name] !== undefined && typeof given[name] !== "function") {
      throw new RoomError("invalid", `defineRoom: ${name} must be a function`);
    }
    if (given[name] !== undefined) registry.add(registry.events, event, handler, `defineRoom: ${name}`);
  };
  if (given.onStart !== undefined && typeof given.onStart !== "function") {
    throw new RoomError("invalid", "defineRoom: onStart must be a function");
  }
  hook("onConnect", "$connect", (ctx) => given.onConnect!(ctx));
  hook("onDisconnect", "$disconnect", (ctx, end: Disconnect) => given.onDisconnect!(ctx, end));
  if (given.eventEmitter === undefined) {
    hook("onMessage", "$message", (ctx, _, ack) => given.onMessage!(ctx, ctx.frame, ack));
  } else {
    const fallback: Handler | undefined = given.onMessage && ((ctx, _, ack) => given.onMessage!(ctx, ctx.frame, ack));
    registry.add(registry.events, "*", through(given.eventEmitter, fallback), "defineRoom: eventEmitter");
  }
  hook("onError", "$error", (ctx, failed) => given.onError!(failedTurn(failed), ctx));
  hook("onRestore", "$restore", (ctx, restore) => given.onRestore!(ctx, restore));
  hook("onHibernationRestore", "$restore", () => {
    // Where nobody is connected, as after a restart of the server, there is nothing to restore.
    return actor.getSessionCount() > 0 ? given.onHibernationRestore!(actor as any) : undefined;
  });
  hook("onCheck", "$check", (ctx) => given.onCheck!(ctx));
  hook("onAlarm", "$alarm", (ctx, due) => given.onAlarm!(ctx, due));
  hook("onUserJoin", "$user-join", (ctx, { userId }) => given.onUserJoin!(ctx, userId));
  hook("onUserLeave", "$user-leave", (ctx, { userId }) => given.onUserLeave!(ctx, userId));
  hook("onLost", "$lost", (ctx) => given.onLost!(ctx));
  hook("onBack", "$back", (ctx) => given.onBack!(ctx));
  return new Room(given);
}

/** The rule of the contract, so that a build says what a server would say later. */
function checkPath(path: unknown): void {
  if (path === undefined) return;
  const fits =
    typeof path === "string" &&
    /^\/[/A-Za-z0-9._~-]{0,127}$/.test(path) &&
    !path.includes("..") &&
    !path.startsWith("/t/") &&
    path !== "/_parlor" &&
    !path.startsWith("/_parlor/");
  if (fits) return;
  throw new RoomError(
    "invalid",
    `defineRoom: websocketPath must be 1 to 128 bytes of /A-Za-z0-9._~- that begin with /, without .., not below /t/ and ` +
      `not /_parlor or below it; it is ${JSON.stringify(path)}`,
  );
}

/** What `$error` brings, as an error. */
function failedTurn({ event, code, message }: { event: string; code: string; message: string }): FailedTurn {
  const error = new RoomError(code, message) as RoomError & { event: string };
  error.event = event;
  // Where this was made tells nothing: the failed turn's own stack is in the log.
  error.stack = "";
  return error;
}
