// What the client heard last of the channels whose history the room keeps.

const CHANNELS_LIMIT = 16; // of which the client asks when it is back: rooms keep no more

export class Histories {
  #at = new Map(); // channel -> position, the one heard last behind the others

  constructor(since = {}) {
    for (const [channel, position] of Object.entries(since)) this.#at.set(channel, String(position));
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

  /** The frame `history` came: `{ channel, recovered, frames }`, all of them events. */
  told({ channel, recovered, frames }) {
    const events = (Array.isArray(frames) ? frames : []).filter((frame) => typeof frame?.data?.type === "string");
    // What was heard last means nothing any more, and what comes next begins anew.
    if (recovered !== true && events.length === 0) this.#at.delete(channel);
    events.forEach((frame) => this.heard(frame));
    return { channel, recovered: recovered === true, events: events.map(({ data, at }) => ({ data, at })) };
  }
}
