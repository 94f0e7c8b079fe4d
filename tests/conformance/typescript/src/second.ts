/** The second version of the reference plugin. */

import { plugin } from "./plugin.js";

plugin(2);
