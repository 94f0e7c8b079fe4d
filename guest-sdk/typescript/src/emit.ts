/** Whom an emit is for: the engine has what names one socket, channel or user (`engine/targets.c`), and this what takes more. */

import type { BroadcastOptions, Excluded } from "../types/index.js";
import { RoomError, refusal } from "./errors.js";
import {
  channelName,
  channelPrototype,
  roomTarget,
  toChannelExcept,
  toChannelSome,
  toClients,
  type ChannelTarget,
  type Payload,
  type RoomTarget,
  type Target,
} from "./host.js";
import { messageOf } from "./message.js";
import { sayChannels } from "./meta.js";
import { needText } from "./payload.js";

/** The channel of emits that name none. */
const DEFAULT_CHANNEL = "default";

/** What an emit without data carries. */
const NOTHING: Payload = { tag: "json", val: "{}" };

function isNothing(data: readonly unknown[]): boolean {
  return data.length === 0 || (data.length === 1 && data[0] === undefined);
}

/** Data of an emit, as the engine asks for it where it is more than JSON of one value. */
export function emitted(data: readonly unknown[]): Payload {
  return messageOf(data, "the data of an emit");
}

/** Targets that a function of the host's sends to. */
class Chosen implements Target {
  constructor(readonly _send: (event: string, body: Payload) => number) {}

  emit(event: string, ...data: unknown[]): number {
    needText(event, "an event's name");
    sayChannels();
    const body = isNothing(data) ? NOTHING : emitted(data);
    try {
      return this._send(event, body);
    } catch (thrown) {
      throw refusal(thrown);
    }
  }
}

export interface Channel extends ChannelTarget {
  some(options: BroadcastOptions): Target;
  except(excluded: Excluded): Target;
}

/** What channels have besides `emit`. */
const channelMembers = {
  /** Those of the channel that the options leave. */
  some({ except = [], userIds, clientIds }: BroadcastOptions): Target {
    const channel = channelName(this as unknown as ChannelTarget);
    const excluded = clientIdsOf(except);
    const [users, clients] = [idsOf(userIds, "userIds"), idsOf(clientIds, "clientIds")];
    return new Chosen((event, body) => toChannelSome(channel, users, clients, excluded, event, body));
  },

  except(excluded: Excluded): Target {
    const channel = channelName(this as unknown as ChannelTarget);
    const clientIds = clientIdsOf(excluded);
    return new Chosen((event, body) => toChannelExcept(channel, clientIds, event, body));
  },
};
Object.assign(channelPrototype(), channelMembers);

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

/** `ctx.actor.emit`. */
export interface ActorEmit extends RoomTarget {
  to(channel: string): Channel;
  toClients(clientIds: readonly string[]): Target;
}

export const actorEmit = Object.assign(roomTarget(DEFAULT_CHANNEL), {
  toClients(clientIds: readonly string[]): Target {
    if (!Array.isArray(clientIds)) throw new RoomError("invalid", "toClients takes an array of client ids");
    const ids = clientIds.map((id) => needText(id, "a client id"));
    return new Chosen((event, body) => toClients(ids, event, body));
  },
}) as ActorEmit;

/** The event that data names itself, as that of `broadcast` and `sendToUser` does. */
export function typeOf(data: unknown): string {
  const type: unknown = (data as { type?: unknown } | null | undefined)?.type;
  return typeof type === "string" ? type : "message";
}
