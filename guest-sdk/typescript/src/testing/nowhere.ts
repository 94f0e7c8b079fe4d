/**
 * The host's functions where there is no room: for a module of the author's that a test calls by itself. Only what needs no room
 * answers.
 */

import { importsOf } from "./imports.js";

export const host = importsOf(
  { turn: undefined, time: Date.now(), roomId: "", config: {}, log: [], seed: 0n },
  { events: new Set(), isAside: true, isAuthorizing: true },
);
