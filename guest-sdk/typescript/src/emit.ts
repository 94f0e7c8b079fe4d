/** Whom an emit is for. */

import type { BroadcastOptions, Excluded } from "../types/index.js";
import { RoomError, refusal } from "./errors.js";
import {
  toChannel,
  toChannelExcept,
  toChannelSome,
  toClients,
  toNamed,
  toSocket,
  toUser,
  type Payload,
} from "./host.js";
import { messageOf } from "./message.js";
import { hasUnsaid, sayChannels } from "./meta.js";
import { needText } from "./payload.js";

/** The channel of emits that name none. */
export const DEFAULT_CHANNEL = "default";

/** A function of the host's that sends to one kind of targets. */
type Send<W> = (who: W, event: string, body: Payload) => number;

/**
 * Sends an event with its data. The targets below share this rather than a class: every event makes one of them, and a
 * derived class takes two calls to make.
 */
function send<W>(how: Send<W>, who: W, event: string, data: readonly unknown[]): number {
  if (typeof event !== "string") needText(event, "an event's name");
  if (hasUnsaid()) sayChannels();
  const body = isNothing(data) ? NOTHING : messageOf(data, "the data of an emit");
  try {
    return how(who, event, body);
  } catch (thrown) {
    throw refusal(thrown);
  }
}

/** What an emit without data carries. */
const NOTHING: Payload = { tag: "json", val: "{}" };

function isNothing(data: readonly unknown[]): boolean {
  return data.length === 0 || (data.length === 1 && data[0] === undefined);
}

/** Targets of one kind that are known by one value. */
class Target<W> {
  constructor(
    readonly _how: Send<W>,
    readonly _who: W,
  ) {}

  emit(event: string, ...data: unknown[]): number {
    return send(this._how, this._who, event, data);
  }
}

class Channel {
  constructor(readonly _name: string) {}

  emit(event: string, ...data: unknown[]): number {
    return send(toChannel, this._name, event, data);
  }

  /** Those of the channel that the options leave. */
  some({ except = [], userIds, clientIds }: BroadcastOptions): Target<string> {
    const excluded = clientIdsOf(except);
    const [users, clients] = [idsOf(userIds, "userIds"), idsOf(clientIds, "clientIds")];
    return new Target(
      (channel, event, body) => toChannelSome(channel, users, clients, excluded, event, body),
      this._name,
    );
  }

  except(excluded: Excluded): Target<string> {
    const clientIds = clientIdsOf(excluded);
    return new Target((channel, event, body) => toChannelExcept(channel, clientIds, event, body), this._name);
  }
}

/** Ids as the contract takes them; null where none are given. */
export function idsOf(ids: readonly string[] | undefined, what: string): string[] | null {
  if (ids === undefined || ids === null) return null;
  if (!Array.isArray(ids)) throw new RoomError("invalid", `${what} must be an array of ids`);
  return ids.map((id) => needText(id, `one of ${what}`));
}

/** The client ids of those whom an emit leaves out. */
function clientIdsOf(excluded: Excluded): string[] {
  const list = Array.isArray(excluded) ? excluded : [excluded];
  return list.map((one) => {
    if (typeof one === "string") return one;
    if (typeof one?.meta?.clientId === "string") return one.meta.clientId;
    throw new RoomError("invalid", "who is left out must be given as client ids or as sockets");
  });
}

/** `ctx.emit`. */
export class SocketEmit {
  constructor(readonly _socket: number | null) {}

  emit(event: string, ...data: unknown[]): number {
    // Without a socket, which only `onError` can be, it reaches nobody by itself.
    return this._socket === null ? 0 : send(toSocket, this._socket, event, data);
  }

  to(channelOrUserId: string): Target<string> {
    return new Target(toNamed, needText(channelOrUserId, "whom an emit is for"));
  }
}

/** `ctx.actor.emit`. */
export class ActorEmit {
  emit(event: string, ...data: unknown[]): number {
    return send(toChannel, DEFAULT_CHANNEL, event, data);
  }

  to(channel: string): Channel {
    return new Channel(needText(channel, "a channel"));
  }

  toUser(userId: string): Target<string> {
    return new Target(toUser, needText(userId, "a user id"));
  }

  toClients(clientIds: readonly string[]): Target<string[]> {
    if (!Array.isArray(clientIds)) throw new RoomError("invalid", "toClients takes an array of client ids");
    return new Target(toClients, clientIds.map((id) => needText(id, "a client id")));
  }
}

/** The event that data names itself, as that of `broadcast` and `sendToUser` does. */
export function typeOf(data: unknown): string {
  const type: unknown = (data as { type?: unknown } | null | undefined)?.type;
  return typeof type === "string" ? type : "message";
}
