// How long the client waits for what.

/** What `connect` takes for granted. Times are in milliseconds. */
export const DEFAULTS = Object.freeze({
  // Back-off with full jitter: the n-th wait is a random time between 0 and min(maxDelayMs, baseDelayMs * 2^n).
  baseDelayMs: 500,
  maxDelayMs: 30_000,
  // The least ceiling after 1012, so that the clients of a restarted host do not return in one heap.
  restartSpreadMs: 2_000,
  // Added after 1008 and 1013.
  slowDelayMs: 5_000,
  // A connection that lived this long was a good one: the next back-off begins anew.
  stableAfterMs: 5_000,
  // An attempt that did not open by then is given up and counts as failed.
  connectTimeoutMs: 15_000,
  // A ping is sent this long after the last one; proxies forget quiet lines after 60 s. 0 for no keepalive.
  pingIntervalMs: 25_000,
  // Where nothing at all arrives for this long after a ping, the line is dead.
  pongTimeoutMs: 10_000,
  // How long a request waits for its acknowledgement. 0 for ever.
  requestTimeoutMs: 10_000,
  // Frames that wait while no socket is open; below the burst of 200 that a host allows.
  queueLimit: 100,
  // Bytes that an open but stalled socket may hold back before `emit` refuses.
  bufferLimit: 1_048_576,
});

// Close codes.
export const NORMAL = 1000;
export const ABNORMAL = 1006;
const POLICY = 1008;
const RESTART = 1012;
const TRY_LATER = 1013;

/** The wait before attempt number `attempt` (0 for the first after a good connection), in milliseconds. */
export function backoffDelay(attempt, code, settings, random = Math.random) {
  let ceiling = Math.min(settings.maxDelayMs, settings.baseDelayMs * 2 ** attempt);
  if (code === RESTART) ceiling = Math.max(ceiling, Math.min(settings.maxDelayMs, settings.restartSpreadMs));
  const slow = code === POLICY || code === TRY_LATER ? settings.slowDelayMs : 0;
  return Math.round(slow + random() * ceiling);
}
