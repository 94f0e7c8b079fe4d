/**
 * `stack` as authors read it: with their own files and lines. The engine notes places of the bundle when an error is made, and what
 * they are is found when somebody reads it, so that errors whose stack nobody reads cost no more.
 */

import { frames } from "./host.js";
import { said } from "./said.js";

const FRAME = /^\s+at (.+)$/;
/** As many as the engine itself finds. */
const FRAMES = 8;

const noted = Object.getOwnPropertyDescriptor(Error.prototype, "stack")!;
const capture = (Error as unknown as Capturing).captureStackTrace;

interface Capturing {
  captureStackTrace(target: object, until?: unknown): void;
}

/** The author's places, of an error or of anything that has a stack. */
export function stackOf(error: object): string[] {
  if (!Object.hasOwn(error, "stack")) return placesOf(noted.get!.call(error));
  const own = read(error);
  // A DOMException keeps the engine's.
  if (typeof own === "string" && own.includes("(plugin.js:")) return placesOf(own);
  return shown(own).flatMap((line) => FRAME.exec(line)?.[1] ?? []).slice(0, FRAMES);
}

function placesOf(stack: unknown): string[] {
  return typeof stack === "string" ? frames(stack) : [];
}

/** What somebody has put in the place of the engine's. */
function read(error: object): unknown {
  try {
    return (error as { stack?: unknown }).stack;
  } catch {
    return undefined;
  }
}

function shown(stack: unknown): string[] {
  return typeof stack === "string" ? stack.split("\n") : [];
}

function text(error: object, places: readonly string[]): string {
  const [name, message] = [said(error as Error, "name", "Error"), said(error as Error, "message", "")];
  const head = message === "" ? name : name === "" ? message : `${name}: ${message}`;
  return [head, ...places.map((place) => `    at ${place}`)].join("\n");
}

Object.defineProperty(Error.prototype, "stack", {
  ...noted,
  get(this: object) {
    const stack: unknown = noted.get!.call(this);
    return typeof stack === "string" ? text(this, frames(stack)) : stack;
  },
  // The engine's takes texts alone; elsewhere anything can be put there.
  set(this: object, value: unknown) {
    Object.defineProperty(this, "stack", { value, writable: true, configurable: true });
  },
});

/** Puts a stack into any object. What it says is found when it is read, here as well. */
function captureStackTrace(target: object, until: unknown = captureStackTrace): void {
  capture.call(Error, target, until);
  const stack = Object.getOwnPropertyDescriptor(target, "stack")?.value as unknown;
  if (typeof stack !== "string") return;
  Object.defineProperty(target, "stack", {
    configurable: true,
    get: () => text(target, frames(stack)),
    set(value: unknown) {
      Object.defineProperty(target, "stack", { value, writable: true, configurable: true });
    },
  });
}
Object.defineProperty(Error, "captureStackTrace", { value: captureStackTrace, writable: true, configurable: true });
