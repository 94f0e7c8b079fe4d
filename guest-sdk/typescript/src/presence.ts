/** Who is in a channel, told to its sockets. */

import { socketsIn } from "./channel.js";
import { asked, byteLength } from "./errors.js";
import { setFollower } from "./follower.js";
import { eventSocket, needEnd, socketTarget, toChannelSome, type Context, type Payload } from "./host.js";
import { whoIs } from "./meta.js";
import * as registry from "./registry.js";

/** How much of a list of users a newcomer is told, so that it always fits into an emit. */
const STATE_BYTES = 128 << 10;

/** The users of sockets, by the sockets' ids in ascending order. */
type Users = ReadonlyMap<number, string>;

/** A channel, and who is in it, as its sockets were told. */
interface Followed {
  readonly channel: string;
  /** None until it is first needed: a new instance asks who is there, and all of them know it. */
  known: Users | undefined;
  /** Whether it must be compared with the host. */
  isStale: boolean;
  /** What is known when this turn has committed. */
  next: Users | undefined;
}

const followed: Followed[] = [];
/** The socket that came or left with this turn. */
let came: number | undefined;
let left: number | undefined;

/** Tells the sockets of a channel who is in it. */
export function follow(channel: string): void {
  if (followed.some((one) => one.channel === channel)) return;
  if (followed.length === 0) {
    setFollower({ touch });
    registry.addFirst("$connect", (ctx: Context) => {
      came = eventSocket(ctx) ?? undefined;
      touch();
    });
    const leaves = (ctx: Context) => {
      left = eventSocket(ctx) ?? undefined;
      touch();
    };
    registry.addFirst("$disconnect", leaves);
    // Where a `$disconnect` trapped, the instance that comes next hears of the socket by this alone.
    registry.addFirst("$error", (ctx: Context, failed: { event: string }) => {
      if (failed.event === "$disconnect") leaves(ctx);
    });
  }
  followed.push({ channel, known: undefined, isStale: false, next: undefined });
}

function touch(channel?: string): void {
  needEnd();
  for (const one of followed) {
    if (channel !== undefined && channel !== one.channel) continue;
    one.isStale = true;
    one.known ??= before(one.channel);
  }
}

/** Who was in the channel before this turn. */
function before(channel: string): Users {
  const users = new Map(now(channel, new Map()));
  if (came !== undefined) users.delete(came);
  const leaver = left === undefined ? undefined : whoWas(left);
  if (left === undefined || !leaver?.channels.includes(channel)) return users;
  users.set(left, leaver.userId);
  return new Map([...users].sort(([one], [other]) => one - other));
}

/** Who a socket was that left; none where its `$disconnect` was lost to the disk, since the host knows it no more then. */
function whoWas(socket: number): ReturnType<typeof whoIs> | undefined {
  try {
    return whoIs(socket);
  } catch {
    return undefined;
  }
}

/** Who is in the channel: the host is asked who they are only of those that are not known. */
function now(channel: string, known: Users): Users {
  return new Map(socketsIn(channel).map((id) => [id, known.get(id) ?? whoIs(id).userId]));
}

/** Tells of what has changed, at the end of a turn that went well so far. */
export function tell(): void {
  for (const one of followed) {
    if (!one.isStale || one.known === undefined) continue;
    one.next = now(one.channel, one.known);
    tellOf(one.channel, one.known, one.next);
  }
}

function tellOf(channel: string, known: Users, users: Users): void {
  const newcomers = [...users.keys()].filter((id) => !known.has(id));
  const leavers = [...known.keys()].filter((id) => !users.has(id));
  tellOthers(channel, "presence.leave", leavers.map((id) => known.get(id)!), users, []);
  if (newcomers.length === 0) return;
  const clients = newcomers.map((id) => whoIs(id).clientId);
  tellOthers(channel, "presence.join", newcomers.map((id) => users.get(id)!), known, clients);
  const state = stateOf(channel, users);
  for (const id of newcomers) socketTarget(id).emit("presence.state", state);
}

/**
 * Tells of users, each once, that are not there by other sockets. It is said to some of the channel, which is nothing that its
 * history keeps.
 */
function tellOthers(channel: string, event: string, users: string[], there: Users, excluded: string[]): void {
  const others = new Set(there.values());
  for (const userId of new Set(users)) {
    if (!others.has(userId)) asked(() => toChannelSome(channel, null, null, excluded, event, payload({ channel, userId })));
  }
}

function stateOf(channel: string, all: Users): object {
  const clients = new Map<string, number>();
  for (const userId of all.values()) clients.set(userId, (clients.get(userId) ?? 0) + 1);
  const sorted = [...clients].sort(([one], [other]) => (one < other ? -1 : 1));
  const users: object[] = [];
  let left = STATE_BYTES;
  for (const [userId, count] of sorted) {
    const user = { userId, clients: count };
    left -= byteLength(JSON.stringify(user));
    if (left < 0) return { channel, users, more: sorted.length - users.length };
    users.push(user);
  }
  return { channel, users };
}

function payload(data: object): Payload {
  return { tag: "json", val: JSON.stringify(data) };
}

/** Ends the turn. */
export function end(failed: boolean): void {
  for (const one of followed) {
    if (one.next !== undefined && !failed) {
      one.known = one.next;
      one.isStale = false;
    }
    one.next = undefined;
  }
  came = left = undefined;
}
