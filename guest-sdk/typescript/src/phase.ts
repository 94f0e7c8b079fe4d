/** Whether the plugin runs, or is being built: its top level is evaluated once, at build time. */

import { beginHost } from "./host.js";

let running = false;

/** From here on there is a host to ask. */
export function begin(): void {
  running = true;
  beginHost();
}

/** Throws where the plugin is being built. `what` is what was called, in the author's words. */
export function needHost(what: string): void {
  if (!running) {
    throw new Error(
      `${what} cannot be used at the top level of a module: that runs once, when the plugin is built, and what it ` +
        `leaves is shared by all rooms. Use it in a handler`,
    );
  }
}
