/** The sockets of a channel. */

import { asked } from "./errors.js";
import { ofChannel } from "./host.js";

/** How many sockets the host is asked for at once, which is the most. */
const PAGE = 1_000;

/** The ids of up to so many sockets of a channel, behind one. */
export function pageOf(channel: string, after: number | null, limit: number): number[] {
  return asked(() => ofChannel(channel, after, limit));
}

/** The ids of all sockets of a channel, or of those behind one, in ascending order. */
export function socketsIn(channel: string, after: number | null = null): number[] {
  const found: number[] = [];
  for (;;) {
    const page = pageOf(channel, found.at(-1) ?? after, PAGE);
    found.push(...page);
    if (page.length < PAGE) return found;
  }
}
