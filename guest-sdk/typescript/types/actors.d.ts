/** Rooms as others reach them, and what a room's emitter is: the names of Verani's API. */

import type { EventHandler, Room, RoomDefinition } from "./index.js";
import type { BroadcastOptions, Actor, MessageContext, MessageFrame } from "./context.js";
import type { ConnectionMeta } from "./meta.js";

/** Verani's name of {@link Actor}. */
export type VeraniActor<M extends ConnectionMeta = ConnectionMeta, E = unknown> = Actor<M, E>;
/** Verani's name of {@link Room}. */
export type RoomDefinitionWithHandlers<M extends ConnectionMeta = ConnectionMeta, E = unknown> = Room<M, E>;
/** Verani's names of {@link MessageFrame}. */
export type ClientMessage = MessageFrame;
export type ServerMessage = MessageFrame;
export type VeraniMessage = MessageFrame;

/** Whom a broadcast into another room is for. */
export type RpcBroadcastOptions = Omit<BroadcastOptions, "except">;

/**
 * A room by its id: this one, another one of this plugin or, as `PLUGIN/ROOM`, one of another plugin of the same tenant.
 *
 * What another room is told, it hears when this turn has committed, and not at all if it fails; where the room is not open,
 * nobody hears it. How many sockets that will be nobody knows yet: the promise is of `NaN`. What another room is asked fails
 * with `invalid`: it runs beside this turn, which cannot wait for it.
 */
export interface ActorStub {
  /** Emits to a channel. */
  emitToChannel(channel: string, event: string, data?: any): Promise<number>;
  /** Emits to all sockets of a user. */
  emitToUser(userId: string, event: string, data?: any): Promise<number>;
  /** Emits to those sockets of a user that are in a channel; the event is `data.type`. */
  sendToUser(userId: string, channel: string, data?: any): Promise<number>;
  /** Emits to a channel, or some of it; the event is `data.type`. */
  broadcast(channel: string, data: any, options?: RpcBroadcastOptions): Promise<number>;
  /** How many sockets are connected. Of this room alone. */
  getSessionCount(): Promise<number>;
  /** Who is connected. Of this room alone. */
  getConnectedUserIds(): Promise<string[]>;
  /** 0: nobody stays who has left. Of this room alone. */
  cleanupStaleSessions(): Promise<number>;
  /** For a Worker's entry file, which Parlor does not run: the server itself hands connections to rooms. */
  fetch(request: Request): Promise<Response>;
}

/** What {@link createActorHandler} makes. */
export interface ActorHandlerClass<M extends ConnectionMeta = ConnectionMeta, E = unknown> {
  new (...args: any[]): object;
  /** A room by its id; see {@link ActorStub}. */
  get(id: string): ActorStub;
  /** As `get`. */
  getByName(id: string): ActorStub;
  /** The id itself. */
  idFromName(id: string): string;
  configuration(request?: Request): { path: string };
}

/** The rooms of this plugin: `createActorHandler(room).get(id)` is one of them. */
export function createActorHandler<M extends ConnectionMeta = ConnectionMeta, E = unknown>(
  room: RoomDefinition<M, E>,
): ActorHandlerClass<M, E>;

/** What calls handlers of events: a room's own, or one of yours for `defineRoom({ eventEmitter })`. */
export interface RoomEventEmitter<M extends ConnectionMeta = ConnectionMeta, E = unknown> {
  on(event: string, handler: EventHandler<M, E>): void;
  off(event: string, handler?: EventHandler<M, E>): boolean | void;
  /** Calls the handlers of an event and those of `"*"`. The first error is that of the promise. */
  emit(event: string, ctx: MessageContext<M, E>, data: any): Promise<void>;
  /** Whether an event has handlers; where it has none, `onMessage` runs. An emitter without this takes every event. */
  hasHandlers?(event: string): boolean;
  getEventNames?(): string[];
  rebuildHandlers?(handlers: Map<string, Set<EventHandler<M, E>>>): void;
}

/** Makes an emitter, whose handlers can be registered before there is a room. */
export function createRoomEventEmitter<M extends ConnectionMeta = ConnectionMeta, E = unknown>(): Required<RoomEventEmitter<M, E>>;

/** Keeps a meta with its socket, as writing to `ctx.meta` does. */
export function storeAttachment(ws: WebSocket, meta: ConnectionMeta): void;
/** Does nothing: the sessions of a room are always there. */
export function restoreSessions(actor: unknown): void;

/** A frame as text. The host makes the frames that clients get; this is for what a handler stores or compares. */
export function encodeFrame(frame: MessageFrame): string;
export function encodeClientMessage(message: MessageFrame): string;
export function encodeServerMessage(message: MessageFrame): string;
/** The frame that a text is, or `null`. */
export function decodeFrame(raw: any): MessageFrame | null;
export function decodeClientMessage(raw: any): MessageFrame | null;
export function decodeServerMessage(raw: any): MessageFrame | null;
/** The version of the protocol that clients speak. */
export const PROTOCOL_VERSION: "1.0.0";
