/** What the engine calls (`engine/hooks.c`), by the names that it knows: it is told before any of the author's code runs. */

import "./ctx.js";
import { emitted } from "./emit.js";
import { refusal } from "./errors.js";
import { setHooks } from "./host.js";
import { runTimeout } from "./loop.js";
import { withAttachments } from "./message.js";
import { sayChannels } from "./meta.js";
import { needText } from "./payload.js";
import { needHost } from "./phase.js";
import { noHandler, unregistered } from "./registry.js";
import { authorize, begin, endTurn, neverSettled, noSocket, settled, tooLate } from "./runtime.js";
import { get, put } from "./storage.js";

export { seal } from "./runtime.js";

setHooks({
  authorize,
  begin,
  endTurn,
  refusal,
  needText,
  needHost,
  noSocket,
  noHandler,
  unregistered,
  tooLate,
  settled,
  neverSettled,
  runTimeout,
  message: emitted,
  filled: withAttachments,
  sayChannels,
  get,
  put,
});
