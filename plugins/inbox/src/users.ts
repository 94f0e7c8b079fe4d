/** Who may come in: the tokens that the operator configured. */

import { config } from "@parlor/guest";

/** What stands behind a token. */
export interface User {
  id: string;
  username: string;
  role: string;
}

/** Everybody is in this channel. */
export const EVERYBODY = "everybody";

/** A name stands beside each of its notes, and a list of notes has to fit into an emit of 64 KiB. */
const NAME_MOST = 64;

/** Read once an instance: the configuration is the same for all of its life. */
let tokens: Map<string, User> | undefined;

/** The user of a token, if it has one. Throws where the configuration cannot be read. */
export function userOfToken(token: string): User | undefined {
  tokens ??= readTokens();
  return tokens.get(token);
}

/** Whether somebody of this id has a token. */
export function isUser(id: string): boolean {
  tokens ??= readTokens();
  return [...tokens.values()].some((user) => user.id === id);
}

function readTokens(): Map<string, User> {
  const text = config("tokens");
  if (text === undefined) {
    console.error("nobody can connect: `tokens` are not configured");
    return new Map();
  }
  return new Map(Object.entries(JSON.parse(text)).map(([token, user]) => [token, checked(user)]));
}

/** The token is a secret: no message names it. */
function checked(given: unknown): User {
  const { id, username = id, role = "member" } = (given ?? {}) as Partial<User>;
  if (typeof id !== "string" || id === "" || typeof username !== "string" || typeof role !== "string") {
    throw new Error("each of `tokens` is an object with the texts `id`, `username` and `role`");
  }
  if (username.length > NAME_MOST) throw new Error(`the username of ${id} has more than ${NAME_MOST} characters`);
  if (id === EVERYBODY) throw new Error(`${JSON.stringify(id)} is the name of a channel, and no user id`);
  return { id, username, role };
}
