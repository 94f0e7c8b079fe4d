/** How a case is written: `tests/conformance/README.md` says what each of it means. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SentFrame } from "@parlor/guest/testing";

export interface Case {
  name: string;
  shows: string;
  config?: Record<string, string>;
  steps: Step[];
  stored?: Record<string, unknown>;
}

/** What a client's request for a socket has beside the path. */
interface Asking {
  query?: Record<string, unknown>;
  headers?: Record<string, string>;
}

/** An object with one of these, or the verb alone where there is nothing to say with it. */
export interface Verbs {
  connect: { as: string } & Asking;
  refused: { status: number; body: string } & Asking;
  send: { from: string; frame: SentFrame };
  do: { from: string; ops: unknown; did?: unknown };
  request: { from: string; frame: SentFrame; ack: object };
  answer: { from: string; frame: object };
  expect: Record<string, unknown[]>;
  closed: Record<string, { code: number; reason: string }>;
  leave: { who: string; code: number; reason: string };
  "lose-line": string;
  "come-back": string;
  failures: unknown[];
  log: string[];
  advance: number;
  sleep: undefined;
  crash: string;
  restart: undefined;
  swap: undefined;
  "swap-fails": string;
}

export type Step = string | Partial<Verbs>;

export interface CaseFile {
  name: string;
  cases: Case[];
}

/** All cases, by their files. */
export function casesIn(folder: string): CaseFile[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => {
    const { cases } = JSON.parse(readFileSync(join(folder, name), "utf8")) as { cases: Case[] };
    return { name: name.slice(0, -".json".length), cases };
  });
}
