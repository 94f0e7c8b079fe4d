/** Who is connected: what the host knows of sockets, kept across turns. */

import type { ConnectionMeta } from "../types/index.js";
import { RoomError, asked } from "./errors.js";
import { getMeta, type ContractMeta } from "./host.js";
import { fieldsText } from "./payload.js";
import { uuid } from "./random.js";

/**
 * The metas of the sockets that caused turns: a crossing for one costs as much as the rest of a small handler.
 *
 * They are never stale. A socket's meta changes only through this instance's own calls, each of which goes through
 * `changed`: from there to the end of the turn its entry is read anew and then dropped, whether the turn commits or not. What
 * stays is therefore always a committed value. Socket ids are never given twice.
 */
const known = new Map<number, Readonly<ConnectionMeta>>();
/** The sockets that this turn has changed. */
export let touched: number[] = [];

/** How many metas are cached before the cache is emptied. */
const METAS_KEPT = 512;

/** A socket's meta, frozen. */
export function metaOf(socket: number): Readonly<ConnectionMeta> {
  const found = known.get(socket);
  if (found !== undefined) return found;
  const meta = asked(() => fromContract(getMeta(socket)));
  if (known.size >= METAS_KEPT) known.clear();
  known.set(socket, meta);
  return meta;
}

/** As `metaOf`, of a socket that may have left since its meta was kept. */
export function freshMetaOf(socket: number): Readonly<ConnectionMeta> {
  known.delete(socket);
  return metaOf(socket);
}

/** Notes that this turn changed the socket's meta. */
export function changed(socket: number): void {
  known.delete(socket);
  touched.push(socket);
}

export function endTurn(): void {
  for (const socket of touched) known.delete(socket);
  touched = [];
}

function fromContract({ userId, clientId, channels, fields }: ContractMeta): Readonly<ConnectionMeta> {
  const own = fields === "{}" ? undefined : frozen(JSON.parse(fields));
  return Object.freeze({ ...own, userId, clientId, channels: Object.freeze(channels) as string[] });
}

/** Parsed JSON is a tree, so that this ends. */
function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
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

/** The own fields that `setMeta` sets. What is the host's may stand among them where it is unchanged. */
export function ownFields(socket: number, fields: unknown): string {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    throw new RoomError("invalid", "setMeta takes an object of the connection's own fields");
  }
  const { userId, clientId, channels, ...own } = fields as Partial<ConnectionMeta>;
  if (userId !== undefined || clientId !== undefined || channels !== undefined) {
    const now = metaOf(socket);
    unchanged(userId ?? now.userId, now.userId, "userId", "it stays as extractMeta said");
    unchanged(clientId ?? now.clientId, now.clientId, "clientId", "it stays as extractMeta said");
    unchanged(String(channels ?? now.channels), String(now.channels), "channels", "join and leave do");
  }
  return fieldsText(own);
}

function unchanged(given: unknown, now: unknown, name: string, instead: string): void {
  if (given !== now) throw new RoomError("invalid", `setMeta does not change ${name}: ${instead}`);
}
