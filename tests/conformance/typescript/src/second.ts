/** The second version: it takes states of the first one and its own, and no others. */

import { define } from "./room.ts";

define(2);
