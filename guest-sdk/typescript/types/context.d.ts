/** The contexts that handlers get: the socket, the room around it, and whom to emit to. */

import type { ConnectionMeta, OwnFields } from "./meta.js";
import type { DurableObjectStorage } from "./durable.js";
import type { History } from "./history.js";
import type { Alarm, Log, Timers } from "./state.js";

/** A client's message: `ctx.frame`, and the argument of `onMessage`. */
export interface MessageFrame {
  /** The event's name. */
  readonly type: string;
  /** The channel that the client named, if it named one. */
  readonly channel?: string;
  /** What the client sent, if it sent anything: `null`, `0`, `""` and `false` are data. */
  readonly data?: any;
}

/** Whom an emit goes to. */
export interface EmitTarget {
  /**
   * Sends when the turn commits, and not at all if it fails. Returns to how many sockets.
   *
   * An object arrives as `{"type": event, ...data}` (a `type` of its own is dropped), any other value as
   * `{"type": event, "data": data}`. An event's name is 1 to 128 bytes, its data up to 256 KiB of JSON. A turn may make
   * 1,000 emits of 512 KiB together, and reach 20,000 sockets with them; past that it fails with `limit-exceeded`.
   *
   * A `Uint8Array` in the data, or in its place, travels as bytes: up to 16 an emit, which count into its 256 KiB. Several
   * values are several arguments for a client whose protocol has them; others get the array of them as the data.
   */
  emit(event: string, ...data: unknown[]): number;
}

/** What an ask is, beside its event and data; all of it may be left out. */
export interface AskOptions {
  /** Which `room.onAck` gets the answer: 1 to 128 bytes. The event's name without it. */
  name?: string;
  /** How long the answer may take, counted from the end of the turn: 1 to 3,600,000, rounded up; 10,000 without it. */
  timeoutMs?: number;
  /** Whether the data is an array of several arguments, for clients whose protocol has them. */
  spread?: boolean;
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
   * If this socket is in a channel of that name: the channel's other sockets. Otherwise all sockets of the user with that
   * id. Use `ctx.actor.emit.to` or `ctx.actor.emit.toUser` to say which you mean.
   */
  to(channelOrUserId: string): EmitTarget;
}

/** `ctx.actor.emit`: to the channel `default`, the sender included, or to others. */
export interface ActorEmit extends EmitTarget {
  /** Every socket of a channel, the sender included. */
  to(channel: string): ChannelTarget;
  /** Every socket of a user in this room. */
  toUser(userId: string): EmitTarget;
  /** The sockets with these client ids. A client that is named twice gets the event once. */
  toClients(clientIds: readonly string[]): EmitTarget;
}

/** A socket of the room: `ctx.ws`, or another one by `ctx.actor.socket(id)`. Functions but `emit` throw `no-such-socket` if it has left. */
export interface Socket<M extends ConnectionMeta = ConnectionMeta> {
  /** Its number in the room. A room that lives never gives a number to a second socket. */
  readonly id: number;
  /** 1 while it is connected, 2 once this turn closes it, 3 if it has left. */
  readonly readyState: 1 | 2 | 3;
  /** Its meta, with this turn's own changes, which can be written to; see {@link RoomContext.meta}. */
  readonly meta: M;
  /** Sends to it. Returns 0 if it has left. See {@link EmitTarget.emit}. */
  emit(event: string, ...data: unknown[]): number;
  /**
   * Sends what a Verani room sends as text: of a frame `{"type", "data"}` the event `type` with `data`, of any other text the
   * event `message`. Bytes are the event `message`, too.
   */
  send(frame: string | ArrayBuffer | ArrayBufferView): void;
  /** Writes to its meta: the channels and the own fields of the object. */
  serializeAttachment(attachment: any): void;
  /** A copy of its meta. */
  deserializeAttachment(): any;
  /**
   * Sends an event that asks the client for an answer, when the turn commits. A turn cannot wait: the answer comes in a turn
   * of its own, to the `room.onAck` of the ask's name, and so does that there is none, since the time ran out or the socket
   * left. Up to 64 asks a socket and 1,024 a room wait at a time. They live in memory, as timers do: a new instance, sleep
   * and a swap leave them, a restart of the server forgets them.
   */
  ask(event: string, data?: unknown, options?: AskOptions): void;
  /** Puts it into a channel. Later emits of this turn reach it there already. It may be in 64 channels, with names of 1 to 128 bytes. */
  join(channel: string): void;
  /** Takes it out of a channel when the turn commits. */
  leave(channel: string): void;
  /**
   * Replaces its own fields: up to 4 KiB of JSON. `setMeta({ ...ctx.meta, muted: true })` keeps the others: `userId`,
   * `clientId` and `channels` may be among them, if they are unchanged (`invalid` otherwise).
   */
  setMeta(fields: OwnFields<M>): void;
  /**
   * Closes it after the turn has committed and the host has sent what was emitted to it before; `onDisconnect` follows. `code`
   * must be 1000 (the default), 1008, 1011 to 1013 or 3000 to 4999, and `reason` may have 123 bytes; others throw `invalid`.
   * Of several closes in one turn the first counts.
   */
  close(code?: number, reason?: string): void;
}

/** The context of hooks that the host may raise without a socket. */
export interface HookContext<M extends ConnectionMeta = ConnectionMeta, E = unknown> {
  /** The room. */
  readonly actor: Actor<M, E>;
}

/** The context of `onError`. There may be no socket, or it may have left. */
export interface ErrorContext<M extends ConnectionMeta = ConnectionMeta, E = unknown> extends HookContext<M, E> {
  /** The socket that caused the failed event. Where none did it is one that has left (`readyState` 3), with the id 0. */
  readonly ws: Socket<M>;
  /** Its meta; where there is none any more, one with empty ids and without own fields. */
  readonly meta: M;
  /** Emits to that socket, or from it to others. An emit to a socket that has left returns 0. */
  readonly emit: SocketEmit;
}

/** The context of the hooks of a socket: the socket, and through `actor` the room around it. */
export interface RoomContext<M extends ConnectionMeta = ConnectionMeta, E = unknown> extends HookContext<M, E> {
  /** The socket. */
  readonly ws: Socket<M>;
  /**
   * Its meta, with this turn's own changes. Write to it, `ctx.meta.status = "away"`: when the turn commits, its own fields (up
   * to 4 KiB of JSON) are kept with the socket, for as long as it is connected, whatever becomes of the instance; if the turn
   * fails, they are what they were. A change of `channels` is a `join` or a `leave`. `userId` and `clientId` stay what they are.
   */
  readonly meta: M;
  /** Emits to this socket, or from it to others. */
  readonly emit: SocketEmit;
  /** Asks this socket's client; see {@link Socket.ask}. */
  ask(event: string, data?: unknown, options?: AskOptions): void;
  /** Puts this socket into a channel; see {@link Socket.join}. */
  join(channel: string): void;
  /** Takes this socket out of a channel; see {@link Socket.leave}. */
  leave(channel: string): void;
  /** Replaces this socket's own fields; see {@link Socket.setMeta}. */
  setMeta(fields: OwnFields<M>): void;
  /** Closes this socket; see {@link Socket.close}. */
  close(code?: number, reason?: string): void;
}

/** The context of handlers of events. */
export interface MessageContext<M extends ConnectionMeta = ConnectionMeta, E = unknown> extends RoomContext<M, E> {
  /** The message as the client sent it. */
  readonly frame: MessageFrame;
  /**
   * The client's arguments, however many there are: none is `[]`, one is `[data]`. Where there are several the handler's
   * `data` is the array of them, as is a single argument that is an array: this tells the two apart.
   */
  readonly args: readonly any[];
  /** Whether the client waits for an acknowledgement, which `ack` or `answer` gives. */
  readonly wantsAnswer: boolean;
}

/** The room of the current turn. */
export interface Actor<M extends ConnectionMeta = ConnectionMeta, E = unknown> {
  /** Emits to all sockets in the channel `default`, or to others. */
  readonly emit: ActorEmit;
  /**
   * Sends to every socket of a channel, the sender included. Returns how many sockets that are. The event is `data.type`, or
   * `message` if the data has no `type`.
   */
  broadcast(channel: string, data: unknown, options?: BroadcastOptions): number;
  /**
   * Sends to those sockets of a user that are in the channel. Returns how many sockets that are. The event is `data.type`, or
   * `message` if the data has no `type`. `emitToUser` reaches all of the user's sockets.
   */
  sendToUser(userId: string, channel: string, data?: unknown): number;
  /** Emits to all sockets of a user in this room, as `emit.toUser(userId).emit(event, data)`. */
  emitToUser(userId: string, event: string, data?: unknown): number;
  /** Emits to all sockets of a channel, as `emit.to(channel).emit(event, data)`. */
  emitToChannel(channel: string, event: string, data?: unknown): number;
  /**
   * The connected sockets with their metas, by socket, in the order in which they came. In `onConnect` the new one is among
   * them, in `onDisconnect` the old one is not. The map is made at each access: to change it changes nothing.
   */
  readonly sessions: Map<Socket<M>, { readonly ws: Socket<M>; readonly meta: M }>;
  /** The connected sockets of a user. */
  getUserSessions(userId: string): Socket<M>[];
  /**
   * The sockets that are in a channel, in the order in which they came: all of them, or up to `limit` (1 to 1,000), and only those
   * behind the id `after` where it is given.
   */
  socketsIn(channel: string, options?: { after?: number; limit?: number }): Socket<M>[];
  /** 0: the host takes out whoever leaves, at once. */
  cleanupStaleSessions(): number;
  /** How many sockets are connected. */
  getSessionCount(): number;
  /** The ids of the connected users, each once, in ascending order. */
  getConnectedUserIds(): string[];
  /** The room's id, as clients name it in `?room=`. */
  getRoomId(): string;
  /** The room's own keys and values. */
  getStorage(): DurableObjectStorage;
  /** Finds a socket of this room by its id, which was `ctx.ws.id`. */
  socket(id: number): Socket<M>;
  /** What was said lately to the channels that {@link Room.keepHistory} names. */
  readonly history: History;
  /** The room's timers. They live in memory: a restart of the server loses them. */
  readonly timers: Timers;
  /** The room's one alarm. It is durable: a restart of the server does not lose it. */
  readonly alarm: Alarm;
  /** The plugin's log; `console` writes to it as well. */
  readonly log: Log;
  /** The value of a key of the plugin's configuration, if the operator set one. Operators pass secrets this way, too. */
  config(key: string): string | undefined;
}

/** Whom a broadcast is for, and whom it leaves out. */
export interface BroadcastOptions {
  /** Client ids, or sockets. */
  except?: Excluded;
  /** Only sockets of these users. */
  userIds?: readonly string[];
  /** Only sockets with these client ids. */
  clientIds?: readonly string[];
}
