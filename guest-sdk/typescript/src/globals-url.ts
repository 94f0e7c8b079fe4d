/**
 * The globals `URL` and `URLSearchParams`. A component has them where its author's code names them: they are a third of what a
 * room's memory would begin with.
 */

import { URL, URLSearchParams } from "whatwg-url-minimum";
import { supply } from "./supply.js";

supply({ URL, URLSearchParams });
