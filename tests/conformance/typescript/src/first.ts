/** The first version. */

import { define } from "./room.ts";

define(1);
