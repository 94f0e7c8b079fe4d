/** What handlers are given: the socket, the room around it, and what can be said to whom. */

import type { ConnectionMeta, OwnFields } from "./meta.js";
import type { Alarm, Log, Storage, Timers } from "./state.js";

/** A message of a client: what `ctx.frame` and `onMessage` are given. */
export interface MessageFrame {
  /** The event's name. */
  readonly type: string;
  /** The channel that the client named, if it named one. */
  readonly channel?: string;
  /** What the client sent, if it sent anything: `null`, `0`, `""` and `false` are data. */
  readonly data?: any;
}

/** What an emit is for. */
export interface EmitTarget {
  /**
   * Sends when the turn commits, and never if it fails; says to how many sockets.
   *
   * An object arrives as `{"type": event, ...data}` (a `type` of its own is dropped), any other value as
   * `{"type": event, "data": data}`. An event's name is 1 to 128 bytes, its data up to 64 KiB of JSON. A turn may make
   * 1,000 emits of 512 KiB together, and reach 20,000 sockets with them; past that it fails with `limit-exceeded`.
   */
  emit(event: string, data?: unknown): number;
}

/** A channel to emit to. */
export interface ChannelTarget extends EmitTarget {
  /** The channel without these sockets: client ids, or sockets. */
  except(excluded: Excluded): EmitTarget;
}

/** Whom an emit leaves out: client ids, or sockets. */
export type Excluded = string | Socket<any> | readonly (string | Socket<any>)[];

/** `ctx.emit`: to this socket, or from it to others. */
export interface SocketEmit extends EmitTarget {
  /**
   * If this socket is in a channel of that name: the channel's other sockets. Otherwise all sockets of the user of that
   * id. `ctx.actor.emit.to` and `ctx.actor.emit.toUser` say which is meant.
   */
  to(channelOrUserId: string): EmitTarget;
}

/** `ctx.actor.emit`: to the channel `default`, the sender included, or to others. */
export interface ActorEmit extends EmitTarget {
  /** Every socket of a channel, the sender included. */
  to(channel: string): ChannelTarget;
  /** Every socket of a user in this room. */
  toUser(userId: string): EmitTarget;
  /** The sockets of these client ids; a client that is named twice gets it once. */
  toClients(clientIds: readonly string[]): EmitTarget;
}

/** A socket of the room: `ctx.ws`, or another by `ctx.actor.socket(id)`. Functions other than `emit` throw `no-such-socket` where it has left. */
export interface Socket<M extends ConnectionMeta = ConnectionMeta> {
  /** Its number in the room; never given to a second socket while the room lives. */
  readonly id: number;
  /** 1 while it is connected, 2 once this turn closes it, 3 where it has left. */
  readonly readyState: 1 | 2 | 3;
  /** What is known of it, with this turn's own changes. */
  readonly meta: Readonly<M>;
  /** Sends to it; 0 if it has left. See {@link EmitTarget.emit}. */
  emit(event: string, data?: unknown): number;
  /** Puts it into a channel when the turn commits; emits of this turn count it in already. Up to 64 channels of 1 to 128 bytes. */
  join(channel: string): void;
  /** Takes it out of a channel when the turn commits. */
  leave(channel: string): void;
  /**
   * Replaces its own fields: up to 4 KiB of JSON. `setMeta({ ...ctx.meta, muted: true })` keeps the others: `userId`,
   * `clientId` and `channels` may be among them, if they are unchanged (`invalid` otherwise).
   */
  setMeta(fields: OwnFields<M>): void;
  /**
   * Closes it once the turn has committed and what was emitted to it before is sent; `onDisconnect` follows. `code` is 1000
   * (the default), 1008, 1011 to 1013 or 3000 to 4999, `reason` up to 123 bytes; others throw `invalid`.
   */
  close(code?: number, reason?: string): void;
}

/** What a hook is given that no socket needs to be the cause of. */
export interface HookContext<M extends ConnectionMeta = ConnectionMeta> {
  /** The room. */
  readonly actor: Actor<M>;
}

/** What `onError` is given: the socket may be gone, or never have been. */
export interface ErrorContext<M extends ConnectionMeta = ConnectionMeta> extends HookContext<M> {
  /** The socket that caused the failed event, if one did. */
  readonly ws: Socket<M> | undefined;
  /** To that socket (0 where it is gone), or from it to others. */
  readonly emit: SocketEmit;
}

/** What the hooks of a socket are given: the socket, and through `actor` the room around it. */
export interface RoomContext<M extends ConnectionMeta = ConnectionMeta> extends HookContext<M> {
  /** The socket. */
  readonly ws: Socket<M>;
  /** What is known of it, frozen, with this turn's own changes. `setMeta`, `join` and `leave` change it. */
  readonly meta: Readonly<M>;
  /** Emits to this socket, or from it to others. */
  readonly emit: SocketEmit;
  /** As {@link Socket.join}. */
  join(channel: string): void;
  /** As {@link Socket.leave}. */
  leave(channel: string): void;
  /** As {@link Socket.setMeta}. */
  setMeta(fields: OwnFields<M>): void;
  /** As {@link Socket.close}. */
  close(code?: number, reason?: string): void;
}

/** What handlers of events are given. */
export interface MessageContext<M extends ConnectionMeta = ConnectionMeta> extends RoomContext<M> {
  /** The message as the client sent it. */
  readonly frame: MessageFrame;
  /** Whether the client waits for an acknowledgement, which `answer` gives. */
  readonly wantsAnswer: boolean;
}

/** The room of the current turn. */
export interface Actor<M extends ConnectionMeta = ConnectionMeta> {
  /** To all in `default`, or to others. */
  readonly emit: ActorEmit;
  /**
   * Sends to every socket of a channel, the sender included; says how many that are. The event is `data.type`, and
   * `message` where the data has none.
   */
  broadcast(channel: string, data: unknown, options?: BroadcastOptions): number;
  /**
   * Sends to all sockets of a user in this room, whatever channels they are in; says how many that are. The event is
   * `data.type`, and `message` where the data has none. Clients see it under the sender's first channel; `channel` is there
   * for the shape of the call.
   */
  sendToUser(userId: string, channel: string, data: unknown): number;
  /** How many sockets are connected. */
  getSessionCount(): number;
  /** The ids of the users that are connected, each once, in ascending order. */
  getConnectedUserIds(): string[];
  /** The room's id, as clients name it in `?room=`. */
  getRoomId(): string;
  /** The room's own keys and values. */
  getStorage(): Storage;
  /** A socket of this room by its id, which `ctx.ws.id` told earlier. */
  socket(id: number): Socket<M>;
  /** The room's timers, by name: in memory, for what may be forgotten. */
  readonly timers: Timers;
  /** The room's one alarm: durable, for what must not be forgotten. */
  readonly alarm: Alarm;
  /** The plugin's log; `console` writes to it as well. */
  readonly log: Log;
  /** The value of a key of the plugin's configuration, if the operator gave one. Secrets come this way as well. */
  config(key: string): string | undefined;
}

/** Whom a broadcast leaves out. */
export interface BroadcastOptions {
  /** Client ids, or sockets. */
  except?: Excluded;
}
