/** A counter: `say` tells the count, which `count/VERSION` carries over, and the log tells how it began. */

import { counter } from "./counters.ts";

counter(1, [1]);
