import { version } from "./swap.js";

version("one");
