/** The first version of the reference plugin. */

import { plugin } from "./plugin.js";

plugin(1);
