import { counter } from "./counters.ts";

counter(3, [2]);
