/** The operations: what of the SDK each of them calls. */

import { RoomError, reject, type ConnectionMeta, type MessageContext, type Socket } from "@parlor/guest";
import { suspendAs } from "./plugin.js";
import { Scene, bad } from "./scene.js";

/** An operation, and which of its arguments are given as they stand. */
interface Operation {
  call: (scene: Scene, ...args: any[]) => unknown;
  raw?: readonly number[];
}

export const operations = new Map<string, Operation>();

function define(calls: Record<string, Operation["call"]>): void {
  for (const [name, call] of Object.entries(calls)) operations.set(name, { call });
}

/** Those that look at some of their arguments themselves. */
function defineRaw(raw: readonly number[], calls: Record<string, Operation["call"]>): void {
  for (const [name, call] of Object.entries(calls)) operations.set(name, { call, raw });
}

define({
  emit: ({ ctx }, event, data) => ctx.emit.emit(event, data),
  "emit-to": ({ ctx }, target, event, data) => ctx.emit.to(target).emit(event, data),
  "emit-all": ({ actor }, event, data) => actor.emit.emit(event, data),
  "emit-channel": ({ actor }, channel, event, data) => actor.emit.to(channel).emit(event, data),
  "emit-except": ({ actor }, channel, clients, event, data) => actor.emit.to(channel).except(clients).emit(event, data),
  "emit-user": ({ actor }, user, event, data) => actor.emit.toUser(user).emit(event, data),
  "emit-clients": ({ actor }, clients, event, data) => actor.emit.toClients(clients).emit(event, data),
  "emit-socket": ({ actor }, socket, event, data) => actor.socket(socket).emit(event, data),
});

/** The socket of this id, or that of the turn. */
function socket({ actor, ctx }: Pick<Scene, "actor" | "ctx">, id: number | undefined): Socket | typeof ctx {
  return id === undefined ? ctx : actor.socket(id);
}

function written({ userId, clientId, channels, ...fields }: ConnectionMeta) {
  return { user: userId, client: clientId, channels, fields };
}

define({
  socket: ({ ctx }) => ctx.ws.id,
  meta: (scene, id) => written(id === undefined ? scene.ctx.meta : scene.actor.socket(id).meta),
  join: (scene, channel, id) => socket(scene, id).join(channel),
  leave: (scene, channel, id) => socket(scene, id).leave(channel),
  "set-fields": (scene, fields, id) => socket(scene, id).setMeta(fields),
  close: (scene, code, reason, id) => socket(scene, id).close(code, reason),
  count: ({ actor }) => actor.getSessionCount(),
  users: ({ actor }) => actor.getConnectedUserIds(),
  room: ({ actor }) => actor.getRoomId(),
});

define({
  get: ({ actor }, key) => actor.getStorage().get(key),
  put: ({ actor }, key, value) => actor.getStorage().put(key, value),
  delete: ({ actor }, key) => actor.getStorage().delete(key),
  "get-many": async ({ actor }, keys) => [...(await actor.getStorage().get(keys as string[]))],
  "put-many": ({ actor }, entries) => actor.getStorage().put(Object.fromEntries(entries)),
  "delete-many": ({ actor }, keys) => actor.getStorage().delete(keys),
  list: async ({ actor }, prefix) => [...(await actor.getStorage().list({ prefix }))],
  page: async ({ actor }, prefix, after, limit) => {
    const page = await actor.getStorage().page({ prefix, after: after ?? undefined, limit });
    return { keys: page.entries.map(([key]) => key), next: page.next ?? null };
  },
  "put-bytes": ({ actor }, key, numbers) => actor.getStorage().putBytes(key, Uint8Array.from(numbers)),
  "get-bytes": async ({ actor }, key) => {
    const bytes = await actor.getStorage().getBytes(key);
    return bytes === undefined ? null : [...bytes];
  },
});

define({
  now: () => Date.now(),
  "timer-cancel": ({ actor }, name) => actor.timers.cancel(name),
  "alarm-in": ({ actor }, ms) => actor.alarm.set(Date.now() + ms),
  "alarm-at": ({ actor }, time) => actor.alarm.set(time),
  alarm: ({ actor }) => actor.alarm.get(),
  "alarm-cancel": ({ actor }) => actor.alarm.cancel(),
  config: ({ actor }, key) => actor.config(key),
  random: () => crypto.randomUUID(),
  log: ({ actor }, level: "debug" | "info" | "warn" | "error", text) => actor.log[level](text),
});
defineRaw([2], { timer: ({ actor }, name, ms, data) => actor.timers.set(name, ms, data) });

define({
  off: ({ plugin: { room, memory } }, tag) => {
    const known = memory.handlers.get(tag);
    memory.handlers.delete(tag);
    return known !== undefined && room.off(known.event, known.handler);
  },
  "off-all": ({ plugin: { room } }, event) => room.off(event),
  throw: (_, message) => {
    throw new Error(message);
  },
  fail: (_, code, message) => {
    throw new RoomError(code, message);
  },
  reject: (_, code, message) => reject(code, message),
  remember: ({ plugin: { memory } }, value) => {
    memory.value = value;
  },
  life: ({ plugin: { memory } }) => {
    const { version, restored, resumed, value } = memory;
    return { version, restored, resumed, memory: value };
  },
  errors: ({ plugin: { memory } }) => memory.takeErrors(),
  "suspend-as": ({ plugin }, schema) => suspendAs(plugin, schema),
});

defineRaw([2], {
  on: ({ plugin }, event, tag, ops) => {
    const handler = async (ctx: MessageContext, data: unknown) => {
      // What the runner asks for itself is no part of a case.
      if (ctx.frame.type !== "sync") await new Scene(plugin, { actor: ctx.actor, ctx, data }).run(ops);
    };
    plugin.room.on(event, handler);
    plugin.memory.handlers.set(tag, { event, handler });
  },
});
defineRaw([1], {
  repeat: async (scene, times, op) => {
    let last: unknown;
    for (let i = 0; i < times; i += 1) last = await scene.op(op);
    return last;
  },
  filled: async (scene, count, raw) => {
    const values: unknown[] = [];
    for (let i = 0; i < count; i += 1) values.push(await scene.value(raw));
    return values;
  },
});
defineRaw([0], {
  try: async (scene, op) => {
    try {
      return { ok: await scene.op(op) };
    } catch (error) {
      return { error: error instanceof RoomError ? error.code : "error" };
    }
  },
  "on-suspend": ({ plugin: { memory } }, ops) => {
    memory.onSuspend = ops;
  },
  raw: (_, raw) => raw,
});

define({
  data: ({ given: { data } }) => data,
  frame: ({ ctx }) => (ctx as MessageContext).frame,
  hook: ({ given: { hook } }) => hook,
  text: (_, text: string, times) => text.repeat(times),
  concat: (_, ...parts) => parts.join(""),
  nested: (_, count) => {
    let value: unknown[] = [];
    for (let i = 1; i < count; i += 1) value = [value];
    return value;
  },
  size: (_, value) => {
    if (typeof value !== "string" && !Array.isArray(value)) throw bad(`${JSON.stringify(value)} has no size`);
    return [...value].length;
  },
  equal: (_, one, other) => JSON.stringify(one) === JSON.stringify(other),
  next: (scene) => (scene.count += 1),
});
