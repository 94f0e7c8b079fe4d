/** What the engine calls for the component's exports: the interface `guest`, a result's error thrown. */

import { authorize, handle, init } from "./runtime.js";

export { seal } from "./runtime.js";
export const guest = { init, authorize, handle };
