/** Whether the plugin runs, or is being built: its top level is evaluated once, at build time. */

import { hasHost } from "./host.js";

/** Throws where the plugin is being built. `what` is what was called, in the author's words. */
export function needHost(what: string): void {
  if (!hasHost()) {
    throw new Error(
      `${what} cannot be used at the top level of a module: that runs once, when the plugin is built, and what it ` +
        `leaves is shared by all rooms. Use it in a handler`,
    );
  }
}
