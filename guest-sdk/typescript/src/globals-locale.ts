/** The methods that a locale would change, and what says that there is none, for the plugins that name one of them. */

import { installLocale, noIntl } from "./locale.js";

// `build/words.mjs` names it.
Object.defineProperty(globalThis, "__parlorIntl", { value: noIntl });
installLocale();
