/** What `@parlor/guest` and `verani` are in a bundle. Its types are in `types/`, and checked against it here. */

import type * as api from "../types/index.js";
import { answer as makeAnswer } from "./answer.js";
import { config as readConfig } from "./actor.js";
import { log as pluginLog } from "./console.js";
import * as errors from "./errors.js";
import { defineRoom as define } from "./room.js";

export const defineRoom = define as unknown as typeof api.defineRoom;
export const answer: typeof api.answer = makeAnswer;
export const config: typeof api.config = readConfig;
export const log: typeof api.log = pluginLog;
export const reject: typeof api.reject = errors.reject;
export const RoomError: typeof api.RoomError = errors.RoomError;
export const Rejection: typeof api.Rejection = errors.Rejection;
