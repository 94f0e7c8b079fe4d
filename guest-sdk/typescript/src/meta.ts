/** Who is connected: what the host knows of sockets, kept across turns. */

import type { ConnectionMeta } from "../types/index.js";
import { RoomError, asked } from "./errors.js";
import { touch } from "./follower.js";
import { getMeta, join, leave, needEnd, noteUnsaid, setFields, type ContractMeta } from "./host.js";
import { fieldsText } from "./payload.js";
import { uuid } from "./random.js";

/** How many metas are cached from turn to turn before the cache is emptied. */
const METAS_KEPT = 512;
const AS_SAID = "it stays as extractMeta said";
/** The members of a meta that are no own fields. */
const HOSTS = 3;

/**
 * A socket's meta as handlers have it, and what the host knows of it.
 *
 * Handlers write to it as to any object. Own fields are compared with the host's when the turn ends, so that reading costs
 * nothing; channels are noted when they change, since emits of the same turn go by them.
 */
class Known {
  readonly meta: ConnectionMeta;
  readonly userId: string;
  readonly clientId: string;
  /** The channels as the host has them. */
  channels: string[];
  /** The array behind `meta.channels`. */
  readonly list: string[];
  /** The own fields as the host has them: their names, and their values, of those that are objects the JSON. */
  names: string[] = [];
  values: unknown[] = [];
  /** Whether this turn gave it to a handler. */
  isOut = false;
  /** Whether this turn changed it: then what stays behind it is not committed yet. */
  isChanged = false;

  constructor(
    readonly socket: number,
    { userId, clientId, channels, fields }: ContractMeta,
  ) {
    this.channels = channels;
    this.list = [...channels];
    const own = (fields === "{}" ? {} : JSON.parse(fields)) as ConnectionMeta;
    // Unlike an assignment this also replaces a member that the own fields have of these names.
    const said = (value: string) => ({ value, enumerable: true, configurable: true, writable: true });
    Object.defineProperties(own, { userId: said(userId), clientId: said(clientId), channels: channelsOf(this) });
    this.meta = own;
    this.userId = userId;
    this.clientId = clientId;
    this.note();
  }

  /** Notes the own fields as those that the host has. */
  note(): void {
    this.names = [];
    this.values = [];
    for (const name of Object.keys(this.meta)) {
      if (isHosts(name)) continue;
      const value: unknown = this.meta[name];
      this.names.push(name);
      this.values.push(isObject(value) ? JSON.stringify(value) : value);
    }
  }

  /** Whether a handler wrote to the own fields. */
  hasNewFields(): boolean {
    const { meta, names, values } = this;
    for (let i = 0; i < names.length; i += 1) {
      const value: unknown = meta[names[i]!];
      if ((isObject(value) ? JSON.stringify(value) : value) !== values[i]) return true;
    }
    return Object.keys(meta).length !== names.length + HOSTS;
  }

  /** Puts these in the place of the own fields. */
  replace(fields: string): void {
    for (const name of Object.keys(this.meta)) if (!isHosts(name)) delete this.meta[name];
    // Unlike an assignment this also takes a member of the name `__proto__`.
    Object.defineProperties(this.meta, Object.getOwnPropertyDescriptors(JSON.parse(fields)));
    this.note();
    this.isChanged = true;
  }
}

const known = new Map<number, Known>();
/** Those that this turn gave out. */
let out: Known[] = [];
/** Those whose channels a handler changed by writing to the meta, until the host is told. */
let rejoined: Known[] = [];

function isHosts(name: string): boolean {
  return name === "userId" || name === "clientId" || name === "channels";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The member `channels`: an array that notes its changes. */
function channelsOf(of: Known): PropertyDescriptor {
  const note = () => {
    if (!rejoined.includes(of)) rejoined.push(of);
    noteUnsaid(true);
    needEnd();
  };
  const noted = new Proxy(of.list, {
    set(list, at, value) {
      note();
      return Reflect.set(list, at, value);
    },
    deleteProperty(list, at) {
      note();
      return Reflect.deleteProperty(list, at);
    },
  });
  return {
    enumerable: true,
    configurable: true,
    get: () => noted,
    set(channels: unknown) {
      if (!Array.isArray(channels)) throw new RoomError("invalid", "the channels of a meta are an array of strings");
      const wanted = [...channels];
      of.list.splice(0, Infinity, ...wanted);
      note();
    },
  };
}

/** What is known of a socket, asked for once a turn at most. */
function knownOf(socket: number): Known {
  let found = known.get(socket);
  if (found === undefined) {
    found = new Known(socket, asked(() => getMeta(socket)));
    known.set(socket, found);
  }
  return found;
}

/** Who a socket is, as far as nobody can change it, and its channels as the host had them when it was asked. */
export function whoIs(socket: number): { readonly userId: string; readonly clientId: string; readonly channels: readonly string[] } {
  return knownOf(socket);
}

/** A socket's meta: the same object throughout a turn, which handlers may write to. */
export function metaOf(socket: number): ConnectionMeta {
  const found = knownOf(socket);
  if (!found.isOut) {
    found.isOut = true;
    out.push(found);
    needEnd();
  }
  return found.meta;
}

/** Tells the host of channels that handlers changed: before an emit, and when a turn ends. */
export function sayChannels(): void {
  while (rejoined.length > 0) {
    const one = rejoined.pop()!;
    const now = one.list.map((channel) => {
      if (typeof channel === "string") return channel;
      throw new RoomError("invalid", `a channel of a meta must be a string, not ${typeof channel}`);
    });
    one.isChanged = true;
    for (const channel of now) if (!one.channels.includes(channel)) change(join, one.socket, channel);
    for (const channel of one.channels) if (!now.includes(channel)) change(leave, one.socket, channel);
    one.channels = now;
  }
  noteUnsaid(false);
}

function change(how: typeof join, socket: number, channel: string): void {
  touch(channel);
  unlessGone(() => how(socket, channel));
}

/** A socket that has left, or that this turn closes, is asked for nothing: what its meta says goes with it. */
function unlessGone(call: () => void): void {
  try {
    asked(call);
  } catch (error) {
    if (!(error instanceof RoomError && error.code === "no-such-socket")) throw error;
  }
}

/** Ends a turn that succeeded: the host is told what handlers wrote. */
export function settle(): void {
  if (rejoined.length > 0) sayChannels();
  for (let i = 0; i < out.length; i += 1) {
    const one = out[i]!;
    const { meta } = one;
    if (meta.userId !== one.userId) unchanged(meta.userId, one.userId, "a write to the meta", "userId", AS_SAID);
    if (meta.clientId !== one.clientId) unchanged(meta.clientId, one.clientId, "a write to the meta", "clientId", AS_SAID);
    if (!one.hasNewFields()) continue;
    const { userId, clientId, channels, ...own } = one.meta;
    one.isChanged = true;
    unlessGone(() => setFields(one.socket, fieldsText(own)));
  }
}

/** Ends a turn. What it changed is read anew: whether the turn commits is not known yet. */
export function endTurn(failed: boolean): void {
  for (let i = 0; i < out.length; i += 1) {
    const one = out[i]!;
    one.isOut = false;
    if (failed || one.isChanged) known.delete(one.socket);
  }
  if (out.length > 0) out = [];
  if (rejoined.length > 0) rejoined = [];
  noteUnsaid(false);
  if (known.size >= METAS_KEPT) known.clear();
}

/** As `metaOf`, of a socket that may have left since its meta was kept. */
export function freshMetaOf(socket: number): ConnectionMeta {
  if (known.get(socket)?.isOut === false) known.delete(socket);
  return metaOf(socket);
}

/** Forgets a socket that has left. */
export function forget(socket: number): void {
  known.delete(socket);
}

/** Notes that this turn put a socket into a channel, or took it out of one. */
export function noteChannel(socket: number, channel: string, isIn: boolean): void {
  if (known.get(socket) === undefined) return;
  metaOf(socket);
  const { list, channels } = known.get(socket)!;
  for (const one of [list, channels]) {
    const at = one.indexOf(channel);
    if (isIn && at < 0) one.push(channel);
    if (!isIn && at >= 0) one.splice(at, 1);
  }
  known.get(socket)!.isChanged = true;
}

/** Replaces the own fields of a socket: what the host's is may stand among them where it is unchanged. */
export function replaceFields(socket: number, fields: unknown): void {
  const text = ownFields(socket, fields);
  asked(() => setFields(socket, text));
  if (!known.has(socket)) return;
  metaOf(socket);
  known.get(socket)!.replace(text);
}

/** What `extractMeta` returned, as the contract takes it. */
export function toContract(meta: unknown): ContractMeta {
  if (typeof meta !== "object" || meta === null) {
    throw new RoomError("invalid", `extractMeta must return an object or null, not ${typeof meta}`);
  }
  const { userId, clientId = uuid(), channels = [], ...own } = meta as Partial<ConnectionMeta>;
  needId(userId, "userId");
  needId(clientId, "clientId");
  if (!Array.isArray(channels) || channels.some((channel) => typeof channel !== "string")) {
    throw new RoomError("invalid", "extractMeta: channels must be an array of strings");
  }
  return { userId: userId as string, clientId, channels, fields: fieldsText(own) };
}

function needId(id: unknown, name: string): void {
  if (typeof id === "string") return;
  throw new RoomError("invalid", `extractMeta: ${name} must be a string, not ${id === null ? "null" : typeof id}`);
}

/** The own fields that `setMeta` sets. */
function ownFields(socket: number, fields: unknown): string {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    throw new RoomError("invalid", "setMeta takes an object of the connection's own fields");
  }
  const { userId, clientId, channels, ...own } = fields as Partial<ConnectionMeta>;
  if (userId !== undefined || clientId !== undefined || channels !== undefined) {
    const now = metaOf(socket);
    unchanged(userId ?? now.userId, now.userId, "setMeta", "userId", AS_SAID);
    unchanged(clientId ?? now.clientId, now.clientId, "setMeta", "clientId", AS_SAID);
    unchanged(String(channels ?? now.channels), String(now.channels), "setMeta", "channels", "join and leave do");
  }
  return fieldsText(own);
}

function unchanged(given: unknown, now: unknown, what: string, name: string, instead: string): void {
  if (given !== now) throw new RoomError("invalid", `${what} does not change ${name}: ${instead}`);
}
