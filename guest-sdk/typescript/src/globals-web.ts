/** What dependencies look for to tell a worker of the web. A bundle imports this behind `globals.ts`. */

import { supply } from "./supply.js";

supply({ self: globalThis });
