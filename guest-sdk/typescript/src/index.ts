/** What `@parlor/guest` and `verani` are in a bundle. Its types are in `types/`, and checked against it here. */

import type * as api from "../types/index.js";
import { config as readConfig } from "./actor.js";
import { log as pluginLog } from "./console.js";
import { createRoomEventEmitter as makeEmitter } from "./emitter.js";
import * as errors from "./errors.js";
import * as frames from "./frames.js";
import * as handlers from "./handler.js";
import { answer as makeAnswer } from "./host.js";
import { defineRoom as define } from "./room.js";

export const defineRoom = define as unknown as typeof api.defineRoom;
export const answer = makeAnswer as typeof api.answer;
export const config: typeof api.config = readConfig;
export const log: typeof api.log = pluginLog;
export const reject: typeof api.reject = errors.reject;
export const RoomError: typeof api.RoomError = errors.RoomError;
export const createActorHandler = handlers.createActorHandler as unknown as typeof api.createActorHandler;
export const createRoomEventEmitter = makeEmitter as unknown as typeof api.createRoomEventEmitter;
export const storeAttachment = handlers.storeAttachment as typeof api.storeAttachment;
export const restoreSessions: typeof api.restoreSessions = handlers.restoreSessions;
export const encodeFrame: typeof api.encodeFrame = frames.encodeFrame;
export const encodeClientMessage: typeof api.encodeFrame = frames.encodeFrame;
export const encodeServerMessage: typeof api.encodeFrame = frames.encodeFrame;
export const decodeFrame: typeof api.decodeFrame = frames.decodeFrame;
export const decodeClientMessage: typeof api.decodeFrame = frames.decodeFrame;
export const decodeServerMessage: typeof api.decodeFrame = frames.decodeFrame;
export const PROTOCOL_VERSION: typeof api.PROTOCOL_VERSION = frames.PROTOCOL_VERSION;
export const Rejection: typeof api.Rejection = errors.Rejection;
