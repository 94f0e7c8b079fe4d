/** The host's functions of the contract, answered by a test room: the same names and types as the contract's. */

import type { Entry, Payload } from "../host.js";
import * as bounds from "./bounds.js";
import { checkName, exceeded, invalid, noTurn } from "./bounds.js";
import { keep, type Keep } from "./histories.js";
import type { Target, Turn } from "./turn.js";

/** The hooks that a plugin can ask for. */
const HOOKS = [
  "$connect",
  "$disconnect",
  "$user-join",
  "$user-leave",
  "$lost",
  "$back",
  "$message",
  "$error",
  "$restore",
  "$timer",
  "$ack",
  "$alarm",
  "$suspend",
  "$resume",
  "$check",
];

/** What the functions need to know of the test room that is running. */
export interface Host {
  readonly turn: Turn | undefined;
  readonly time: number;
  readonly roomId: string;
  readonly config: Readonly<Record<string, string>>;
  readonly log: string[];
  /** Of the randomness. */
  seed: bigint;
}

/** What they need to know of the instance that calls. */
export interface Caller {
  /** What it asked for. */
  readonly events: Set<string>;
  /** Whether it is none of the room's own: it has no turns. */
  readonly isAside: boolean;
  readonly isAuthorizing: boolean;
  /** Which histories it asked for, and whether it still may: only while it begins. */
  readonly keeps: Map<string, Keep>;
  readonly isBeginning: boolean;
}

/** The turn that the instance is in. */
const turnOf = (host: Host, { isAside }: Caller): Turn | undefined => (isAside ? undefined : host.turn);

type Functions = Record<string, (...args: any[]) => unknown>;
/** The interfaces of `parlor:room` by their names. */
export type Imports = Record<string, Functions>;

export function importsOf(host: Host, caller: Caller): Imports {
  /** Functions that answer within a turn alone, each call of which counts. */
  const within = (functions: Record<string, (turn: Turn, ...args: any[]) => unknown>): Functions => {
    const counted = Object.entries(functions).map(([name, run]): [string, (...args: unknown[]) => unknown] => [
      name,
      (...args) => {
        const turn = turnOf(host, caller);
        if (turn === undefined) throw noTurn();
        turn.countCall();
        return run(turn, ...args);
      },
    ]);
    return Object.fromEntries(counted);
  };
  return {
    ...state(within),
    events: events(caller),
    history: histories(within, caller),
    outbox: outbox(within),
    inbox: inbox(host, caller),
    room: within({
      id: () => host.roomId,
      sessionCount: (turn) => turn.members.count(),
      userIds: (turn) => turn.members.userIds(),
    }),
    clock: { now: () => host.turn?.acceptedAt ?? host.time },
    random: { getBytes: (count: number) => randomBytes(host, count) },
    logging: { write: (level: string, message: string) => void host.log.push(`${level}: ${message}`) },
    config: { get: (key: string) => (Object.hasOwn(host.config, key) ? host.config[key] : null) },
  };
}

type Within = (functions: Record<string, (turn: Turn, ...args: any[]) => unknown>) => Functions;

function events(caller: Caller): Functions {
  return {
    on(event: string) {
      if (caller.isAuthorizing) throw noTurn();
      checkName("the event", event);
      if (event.startsWith("$") && !HOOKS.includes(event)) throw invalid(`${event} is no hook that this host knows`);
      if (caller.events.size >= bounds.REGISTRATIONS && !caller.events.has(event)) throw exceeded("registrations");
      caller.events.add(event);
    },
    off(event: string) {
      if (caller.isAuthorizing) throw noTurn();
      caller.events.delete(event);
    },
  };
}

function histories(within: Within, caller: Caller): Functions {
  return {
    ...within({
      read: (turn, channel: string, after: string | null, limit: number) =>
        turn.histories.read(channel, after, limit, Math.trunc(turn.acceptedAt)),
      position: (turn, channel: string) => turn.histories.position(channel),
    }),
    keep(channel: string, entries: number, ttlMs: number, durable: boolean) {
      if (caller.isAuthorizing) throw noTurn();
      if (!caller.isBeginning) throw invalid("a history is kept from `init` on, and not in an event");
      keep(caller.keeps, { channel, entries, ttlMs, durable });
    },
  };
}

function outbox(within: Within): Functions {
  const to = (target: (...whom: any[]) => Target) => (turn: Turn, whom: unknown, event: string, data: Payload) =>
    turn.emit(target(whom), event, data);
  return within({
    toSocket: to((socket: number) => ({ socket })),
    toNamed: to((named: string) => ({ named })),
    toChannel: to((channel: string) => ({ channel })),
    toChannelExcept: (turn, channel: string, except: string[], event: string, data: Payload) =>
      turn.emit({ channel, except }, event, data),
    toChannelSome: (turn, channel: string, users: string[] | null, clients: string[] | null, except: string[], event, data) =>
      turn.emit({ channel, users, clients, except }, event, data),
    toRoom: (turn, room: string, channel: string | null, users: string[] | null, clients: string[] | null, event, data) =>
      turn.emitElsewhere(room, { channel, users, clients }, event, data),
    toUser: to((user: string) => ({ user })),
    toClients: to((clients: string[]) => ({ clients })),
    attach: (turn, bytes: Uint8Array) => turn.attach(bytes),
    spread: (turn) => turn.spread(),
    ask: (turn, socket: number, event: string, data: Payload, name: string, timeoutMs: number) =>
      turn.ask(socket, event, data, name, timeoutMs),
  });
}

/** Outside a turn nothing came: these functions cannot refuse. */
function inbox(host: Host, caller: Caller): Functions {
  const data = () => {
    const turn = turnOf(host, caller);
    turn?.countCall();
    return turn?.data;
  };
  return {
    arguments: () => data()?.count ?? 0,
    attachments: () => data()?.attachments ?? [],
  };
}

/** What turns change of sockets, and what they keep. */
function state(within: Within): Imports {
  return {
    sockets: within({
      getMeta: (turn, socket: number) => turn.members.meta(socket),
      present: (turn, user: string | null) => turn.members.present(user),
      ofChannel: (turn, channel: string, after: number | null, limit: number) => turn.ofChannel(channel, after, limit),
      setFields(turn, socket: number, fields: string) {
        const meta = turn.members.changeable(socket);
        bounds.checkFields(fields);
        meta.fields = fields;
      },
      join: (turn, socket: number, channel: string) => turn.members.join(socket, channel),
      leave: (turn, socket: number, channel: string) => turn.members.leave(socket, channel),
      close: (turn, socket: number, code: number, reason: string) => turn.close(socket, code, reason),
    }),
    storage: within({
      get: (turn, key: string) => turn.storage.get(key),
      getMany: (turn, keys: string[]) => turn.storage.getMany(keys),
      put: (turn, key: string, value: Uint8Array) => turn.storage.put(key, value),
      putMany: (turn, entries: Entry[]) => turn.storage.putMany(entries),
      delete: (turn, key: string) => turn.storage.delete(key),
      deleteMany: (turn, keys: string[]) => turn.storage.deleteMany(keys),
      scan: (turn, prefix: string, after: string | null, limit: number) => turn.storage.scan(prefix, after, limit),
    }),
    timers: within({
      set: (turn, name: string, delay: number, data: Payload | null) =>
        turn.schedule.setTimer(name, Math.trunc(turn.acceptedAt) + delay, data),
      cancel: (turn, name: string) => turn.schedule.cancelTimer(name),
    }),
    alarm: within({
      set: (turn, at: number) => turn.schedule.setAlarm(at),
      get: (turn) => turn.schedule.alarm() ?? null,
      cancel: (turn) => turn.schedule.forgetAlarm(),
    }),
  };
}

const WORD = (1n << 64n) - 1n;

/** The same bytes in every run of a test (splitmix64), so that a failure can be looked at again. */
function randomBytes(host: Host, count: number): Uint8Array {
  if (count > bounds.RANDOM_BYTES) throw exceeded("random-bytes");
  const bytes = new DataView(new ArrayBuffer(Math.ceil(count / 8) * 8));
  for (let at = 0; at < count; at += 8) {
    host.seed = (host.seed + 0x9e3779b97f4a7c15n) & WORD;
    let word = ((host.seed ^ (host.seed >> 30n)) * 0xbf58476d1ce4e5b9n) & WORD;
    word = ((word ^ (word >> 27n)) * 0x94d049bb133111ebn) & WORD;
    bytes.setBigUint64(at, word ^ (word >> 31n), true);
  }
  return new Uint8Array(bytes.buffer, 0, count);
}
