// The address of a room, and why it refuses connections.

// Answers to a request of the client's own making that a later attempt may not get: too slow, too early, too many, and
// 426, by which Parlor says that it would accept an upgrade now.
const PASSING = new Set([408, 425, 426, 429]);
export const DOUBT_AFTER = 8; // what was open once most likely comes back, and a question that nobody answers is noise
const WORDS_LIMIT = 1_000; // characters of a refusal's words that are kept

/** `/ws` -> `ws://this.host/ws?room=...&userId=...`: http becomes ws, https becomes wss, a fragment is cut off. */
export function socketAddress(address, { base, room, query, session, since } = {}) {
  const url = new URL(address, base ?? globalThis.location?.href);
  url.protocol = { "http:": "ws:", "https:": "wss:" }[url.protocol] ?? url.protocol;
  if (url.protocol !== "ws:" && url.protocol !== "wss:") throw new TypeError(`no WebSocket address: ${url.href}`);
  url.hash = "";
  for (const [key, value] of Object.entries(session ?? {})) url.searchParams.set(key, value);
  for (const value of Array.isArray(since) ? since : []) url.searchParams.append("since", value);
  if (room !== undefined) url.searchParams.set("room", room);
  const values = typeof query === "function" ? query() : query;
  for (const [key, value] of Object.entries(values ?? {})) {
    if (value !== undefined && value !== null) url.searchParams.set(key, value);
  }
  return url.href;
}

// Why an address refuses connections for good: `{ status, words }`, or nothing where a later attempt may succeed or where
// nobody can say.
export async function refusalOf(address, { fetch, connectTimeoutMs }) {
  const cut = new AbortController();
  const timer = setTimeout(() => cut.abort(), connectTimeoutMs);
  try {
    const answer = await fetch(address.replace(/^ws/, "http"), {
      cache: "no-store",
      credentials: "include", // the upgrade had them as well
      redirect: "manual",
      referrerPolicy: "origin", // what the upgrade had in `Origin`, which a GET to one's own host lacks
      signal: cut.signal,
    });
    const { status } = answer;
    const isFinal = status >= 400 && status < 500 && !PASSING.has(status);
    return isFinal ? { status, words: (await answer.text()).trim().slice(0, WORDS_LIMIT) } : undefined;
  } catch {
    return undefined; // nobody answers, or this page may not read the answer
  } finally {
    clearTimeout(timer);
  }
}
