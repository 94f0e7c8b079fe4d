/**
 * The globals `crypto.subtle` and `CryptoKey`. A component has them where its code names `subtle`: with them a room's memory
 * begins a tenth larger.
 */

import { CryptoKey } from "./subtle-keys.js";
import { subtle } from "./subtle.js";
import { supply } from "./supply.js";

supply({ CryptoKey });
Object.defineProperty(crypto, "subtle", { value: subtle, writable: true, configurable: true });
