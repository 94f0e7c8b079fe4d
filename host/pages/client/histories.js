// What the client heard last of the channels whose history the room keeps.

import { call, subscribe } from "./listeners.js";

const CHANNELS_LIMIT = 16; // of which the client asks when it is back: rooms keep no more unless their limit is raised

export class Histories {
  #listeners = new Set();
  #at = new Map(); // channel -> position, the one heard last behind the others

  constructor(since = {}) {
    for (const [channel, position] of Object.entries(since)) this.#at.set(channel, String(position));
  }

  subscribe(listener) {
    return subscribe(this.#listeners, listener);
  }

  /** What to ask for: `CHANNEL:POSITION`. */
  get since() {
    return [...this.#at].slice(-CHANNELS_LIMIT).map(([channel, position]) => `${channel}:${position}`);
  }

  /** An event came, with its position where the history of its channel is kept. */
  heard({ channel, at }) {
    if (typeof at !== "string") return;
    this.#at.delete(channel);
    this.#at.set(channel, at);
  }

  /** The frame `history` came: `{ channel, recovered, frames }`, all of them events; `tell(data, about)` tells of one. */
  told({ channel, recovered, frames }, tell) {
    const events = (Array.isArray(frames) ? frames : []).filter((frame) => typeof frame?.data?.type === "string");
    // What was heard last means nothing any more, and what comes next begins anew.
    if (recovered !== true && events.length === 0) this.#at.delete(channel);
    events.forEach((frame) => this.heard(frame));
    const isAll = recovered === true;
    call(this.#listeners, { channel, recovered: isAll, events: events.map(({ data, at }) => ({ data, at })) });
    if (isAll) events.forEach(({ data }) => tell(data, { type: data.type, channel }));
  }
}
