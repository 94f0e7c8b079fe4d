/** The globals `EventTarget`, `Event`, `CustomEvent`, `AbortController` and `AbortSignal`, for the plugins that name one. */

import { AbortController, AbortSignal, CustomEvent, Event, EventTarget } from "./event-target.js";
import { supply } from "./supply.js";

supply({ AbortController, AbortSignal, CustomEvent, Event, EventTarget });
