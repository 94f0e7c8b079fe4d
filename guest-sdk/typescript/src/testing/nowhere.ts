/**
 * The engine's functions where there is no room: for a module of the author's that a test calls by itself. Only what needs no room
 * answers.
 */

import { SIGNATURES } from "./contract.js";
import { importsOf } from "./imports.js";

const host = importsOf(
  { turn: undefined, time: Date.now(), roomId: "", config: {}, log: [], seed: 0n },
  { events: new Set(), isAside: true, isAuthorizing: true, keeps: new Map(), isBeginning: false },
);

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function nothing(): void {}

/** The engine's names for the contract's functions. */
const functions = Object.values(SIGNATURES).map(({ engine, module, name }) => [engine, host[module]![name]] as const);

export const engine = {
  ...Object.fromEntries(functions),
  answer: (...values: unknown[]) => ({ values }),
  channelPrototype: () => ({}),
  hasHost: () => true,
  needEnd: nothing,
  noteUnsaid: nothing,
  now: Date.now,
  roomTarget: () => ({}),
  setHandlers: nothing,
  frames: (stack: string) => stack.split("\n").map((line) => line.replace(/^ *at /, "")),
  toUtf8: (text: string) => encoder.encode(text),
  fromUtf8: (bytes: Uint8Array) => decoder.decode(bytes),
};
