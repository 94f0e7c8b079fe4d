import { counter } from "./counters.ts";

counter(2, [1, 2]);
