/** Who is told before the sockets of channels change: presence, where the room has it. */

interface Follower {
  /** A channel will have other sockets; each may, where none is named. */
  touch(channel?: string): void;
}

let follower: Follower | undefined;

export function setFollower(one: Follower): void {
  follower = one;
}

export function touch(channel?: string): void {
  follower?.touch(channel);
}
