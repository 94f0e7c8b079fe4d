/** Whom an emit is for. */

import type { Excluded } from "../types/index.js";
import { RoomError, refusal } from "./errors.js";
import { toChannel, toChannelExcept, toClients, toNamed, toSocket, toUser, type Payload } from "./host.js";
import { needText, notJson } from "./payload.js";

/** The channel of emits that name none. */
export const DEFAULT_CHANNEL = "default";

/** What all targets have in common. */
abstract class Target {
  emit(event: string, data?: unknown): number {
    if (typeof event !== "string") needText(event, "an event's name");
    const text = data === undefined ? "{}" : (JSON.stringify(data) as string | undefined);
    if (text === undefined) return notJson(data, "the data of an emit");
    try {
      return this.send(event, { tag: "json", val: text });
    } catch (thrown) {
      throw refusal(thrown);
    }
  }

  protected abstract send(event: string, body: Payload): number;
}

class Named extends Target {
  constructor(private readonly name: string) {
    super();
  }

  protected send(event: string, body: Payload): number {
    return toNamed(this.name, event, body);
  }
}

class User extends Target {
  constructor(private readonly userId: string) {
    super();
  }

  protected send(event: string, body: Payload): number {
    return toUser(this.userId, event, body);
  }
}

class Clients extends Target {
  constructor(private readonly clientIds: string[]) {
    super();
  }

  protected send(event: string, body: Payload): number {
    return toClients(this.clientIds, event, body);
  }
}

class ChannelExcept extends Target {
  constructor(
    private readonly channel: string,
    private readonly excluded: string[],
  ) {
    super();
  }

  protected send(event: string, body: Payload): number {
    return toChannelExcept(this.channel, this.excluded, event, body);
  }
}

class Channel extends Target {
  constructor(private readonly channel: string) {
    super();
  }

  except(excluded: Excluded): Target {
    return new ChannelExcept(this.channel, clientIdsOf(excluded));
  }

  protected send(event: string, body: Payload): number {
    return toChannel(this.channel, event, body);
  }
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

/** `ctx.emit`. Without a socket, which only `onError` can be, it reaches nobody by itself. */
export class SocketEmit extends Target {
  constructor(private readonly socket: number | null) {
    super();
  }

  to(channelOrUserId: string): Target {
    return new Named(needText(channelOrUserId, "whom an emit is for"));
  }

  protected send(event: string, body: Payload): number {
    return this.socket === null ? 0 : toSocket(this.socket, event, body);
  }
}

/** `ctx.actor.emit`. */
export class ActorEmit extends Target {
  to(channel: string): Channel {
    return new Channel(needText(channel, "a channel"));
  }

  toUser(userId: string): Target {
    return new User(needText(userId, "a user id"));
  }

  toClients(clientIds: readonly string[]): Target {
    if (!Array.isArray(clientIds)) throw new RoomError("invalid", "toClients takes an array of client ids");
    return new Clients(clientIds.map((id) => needText(id, "a client id")));
  }

  protected send(event: string, body: Payload): number {
    return toChannel(DEFAULT_CHANNEL, event, body);
  }
}

/** Sends data that names its event itself, as `broadcast` and `sendToUser` do. */
export function emitTyped(target: { emit(event: string, data: unknown): number }, data: unknown): number {
  const type: unknown = (data as { type?: unknown } | null | undefined)?.type;
  return target.emit(typeof type === "string" ? type : "message", data);
}
