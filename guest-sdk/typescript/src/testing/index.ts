/** What `@parlor/guest/testing` is in the bundle of a test. Its types are in `types/`, and checked against it here. */

import type * as api from "../../types/testing.js";
import * as errors from "./errors.js";
import { TestRoom as Room } from "./room.js";

export const TestRoom: typeof api.TestRoom = Room;
export const TurnFailed: typeof api.TurnFailed = errors.TurnFailed;
export const ConnectionRefused: typeof api.ConnectionRefused = errors.ConnectionRefused;
