// Functions of the page's that the client calls.

// An error of the page's must not keep the client from going on.
export function report(error) {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}

// A listener that throws must not keep the others from hearing.
export function call(listeners, ...args) {
  for (const listener of [...listeners]) {
    try {
      listener(...args);
    } catch (error) {
      report(error);
    }
  }
}

export function subscribe(listeners, listener) {
  if (typeof listener !== "function") throw new TypeError("a listener must be a function");
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function deferred() {
  const later = {};
  later.promise = new Promise((resolve, reject) => Object.assign(later, { resolve, reject }));
  later.promise.catch(() => {}); // nobody has to wait for it
  return later;
}

export function quietly(act) {
  try {
    act();
  } catch {
    // a socket that is closed already, or a code that it does not take: closed is what we wanted
  }
}
