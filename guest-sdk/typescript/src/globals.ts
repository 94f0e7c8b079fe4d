/**
 * What the engine lacks, or has and cannot use in a component: put in place before any of the author's code runs. A bundle
 * imports this first.
 */

import { structuredClone } from "./clone.js";
import { console } from "./console.js";
import { installDate, performance } from "./date.js";
import { TextDecoder, TextEncoder } from "./encoding.js";
import { clearTimeout, setInterval, setTimeout } from "./loop.js";
import { bytesToJson } from "./message.js";
import { crypto, random } from "./random.js";
import { WebSocket } from "./socket.js";
import { supply } from "./supply.js";
import { Headers, Request } from "./web.js";

supply({
  Headers,
  Request,
  TextDecoder,
  TextEncoder,
  WebSocket,
  clearInterval: clearTimeout,
  clearTimeout,
  console,
  crypto,
  performance,
  setInterval,
  setTimeout,
  structuredClone,
});
Object.defineProperty(Uint8Array.prototype, "toJSON", { value: bytesToJson, writable: true, configurable: true });
Object.defineProperty(Math, "random", { value: random, writable: true, configurable: true });
installDate();
