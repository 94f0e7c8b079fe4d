// Requests to the host's API. Addresses are relative, so that a proxy may serve all of it under a path of its own.

const ANSWER_TIMEOUT_MS = 15_000;
// A page of another origin cannot send this header: with it the host takes the login's cookie for what changes something.
const OF_CONSOLE = { "parlor-console": "1" };

/** Why the host does not do what was asked, in its own words. */
export class Refused extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

/** Asks the API: `ask("tenants")`, or `ask("session", { method: "POST", body })`; `text` is sent as it is. */
export async function ask(path, { method = "GET", body, text } = {}) {
  const response = await fetch(`api/${path}`, {
    method,
    headers: { accept: "application/json", ...OF_CONSOLE, ...(body ? { "content-type": "application/json" } : {}) },
    body: body ? JSON.stringify(body) : text,
    cache: "no-store",
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  });
  const said = await response.json().catch(() => null);
  if (response.ok) return said;
  if (response.status === 401 && path !== "session") window.dispatchEvent(new Event("parlor-logged-out"));
  throw new Refused(response.status, said?.error ?? `the host answered ${response.status}`);
}

/** A path of names, each encoded. */
export function path(...names) {
  return names.map(encodeURIComponent).join("/");
}

/** What went wrong, in words for people. */
export function wordsOf(error) {
  return error instanceof TypeError || error.name === "TimeoutError" ? "the host does not answer" : error.message;
}
