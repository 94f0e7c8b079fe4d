import { version } from "./swap.js";

version("two");
