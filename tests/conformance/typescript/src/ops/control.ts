/** Handlers, errors, the log and memory. */

import { reject, RoomError, type Ack, type MessageContext } from "@parlor/guest";
import { suspendAs } from "../memory.ts";
import { bad, Scene } from "../scene.ts";
import { run, runOne, type Operations } from "./index.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

export const control: Operations = {
  "on": ({ room, memory }, event, tag, ops) => {
    const handler = async (ctx: MessageContext, data: unknown, ack: Ack) => {
      // What the runner asks for itself is no part of a case.
      if (ctx.frame.type !== "sync") await run(new Scene(room, memory, ctx, { data, ack }), ops);
    };
    room.on(event, handler);
    memory.handlers.set(tag, { event, handler });
  },
  "off": ({ room, memory }, tag) => {
    const found = memory.handlers.get(tag);
    memory.handlers.delete(tag);
    return found !== undefined && room.off(found.event, found.handler);
  },
  "off-all": ({ room }, event) => room.off(event),
  "throw": (_, message) => {
    throw new Error(message);
  },
  "fail": (_, code, message) => {
    throw new RoomError(code, message);
  },
  "reject": (_, code, message) => reject(code, message),
  "try": async (scene, op) => {
    try {
      return { ok: await runOne(scene, op) };
    } catch (error) {
      return { error: error instanceof RoomError ? error.code : "error" };
    }
  },
  "repeat": async (scene, count, op) => {
    let last: unknown;
    for (let left = count; left > 0; left -= 1) last = await runOne(scene, op);
    return last;
  },
  "log": ({ actor }, level, text) => {
    if (!LEVELS.includes(level)) throw bad(`there is no level ${JSON.stringify(level)}`);
    actor.log[level as (typeof LEVELS)[number]](text);
  },
  "remember": ({ memory }, value) => {
    memory.value = value;
  },
  "life": ({ memory }) => memory.life(),
  "errors": ({ memory }) => memory.errors.splice(0),
  "suspend-as": ({ room, memory }, schema) => suspendAs(room, memory, schema),
  "on-suspend": ({ memory }, ops) => {
    memory.onSuspend = ops;
  },
};
