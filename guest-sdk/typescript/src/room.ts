/** Registration: what a plugin says of its room. */

import type { Disconnect, EventHandler, FailedTurn, RoomDefinition, Suspended } from "../types/index.js";
import { RoomError } from "./errors.js";
import * as registry from "./registry.js";
import type { Handler } from "./registry.js";
import * as suspend from "./suspend.js";

let defined: RoomDefinition<any> | undefined;

/** What the plugin says of its room; none where it has not said anything yet. */
export function definition(): RoomDefinition<any> | undefined {
  return defined;
}

/** What `defineRoom` returns. */
class Room {
  on(event: string, handler: EventHandler<any>): void {
    registry.add(registry.events, event, handler, "room.on");
  }

  off(event: string, handler?: EventHandler<any>): boolean {
    return off(registry.events, event, handler);
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
  hook("onConnect", "$connect", (ctx) => given.onConnect!(ctx));
  hook("onDisconnect", "$disconnect", (ctx, end: Disconnect) => given.onDisconnect!(ctx, end));
  hook("onMessage", "$message", (ctx, _, ack) => given.onMessage!(ctx, ctx.frame, ack));
  hook("onError", "$error", (ctx, failed) => given.onError!(failedTurn(failed), ctx));
  hook("onRestore", "$restore", (ctx, restore) => given.onRestore!(ctx, restore));
  hook("onAlarm", "$alarm", (ctx, due) => given.onAlarm!(ctx, due));
  return new Room();
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
