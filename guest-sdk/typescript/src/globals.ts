/**
 * What the engine lacks, or has and cannot use in a component: put in place before any of the author's code runs. A bundle
 * imports this first.
 */

import { structuredClone } from "./clone.js";
import { console } from "./console.js";
import { installDate } from "./date.js";
import { TextDecoder, TextEncoder } from "./encoding.js";
import { clearTimeout, setInterval, setTimeout } from "./loop.js";
import { bytesToJson } from "./message.js";
import { Later, enqueue, runAsync } from "./promise.js";
import { crypto, random } from "./random.js";
import { WebSocket } from "./socket.js";
import { supply } from "./supply.js";
import { Headers, Request } from "./web.js";

supply({
  Headers,
  Promise: Later,
  Request,
  TextDecoder,
  TextEncoder,
  WebSocket,
  clearInterval: clearTimeout,
  clearTimeout,
  console,
  crypto,
  queueMicrotask: enqueue,
  setInterval,
  setTimeout,
  structuredClone,
});
// `build/async.mjs` names it.
Object.defineProperty(globalThis, "__parlorAsync", { value: runAsync });
Object.defineProperty(Uint8Array.prototype, "toJSON", { value: bytesToJson, writable: true, configurable: true });
Object.defineProperty(Math, "random", { value: random, writable: true, configurable: true });
installDate();
// It would return a promise of the engine's, which nothing ever settles.
delete (Array as { fromAsync?: unknown }).fromAsync;
