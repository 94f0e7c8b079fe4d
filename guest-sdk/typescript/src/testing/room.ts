/** A room to test a plugin with. */

import { randomUUID } from "node:crypto";
import type * as api from "../../types/testing.js";
import type { ContractRequest } from "../host.js";
import { checkedMeta } from "./bounds.js";
import { ConnectionRefused, TurnFailed } from "./errors.js";
import type { Since } from "./histories.js";
import { moduleOf } from "./module.js";
import { TestSocket } from "./socket.js";
import { World } from "./world.js";

/** 14 November 2023, 22:13:20 UTC. */
const START = 1_700_000_000_000;
/** How many turns may follow each other at the same moment before the test is told that they do so for ever. */
const TURNS_AT_ONCE = 1_000;

export class TestRoom implements api.TestRoom {
  readonly #world: World;

  constructor({ entry, config = {}, roomId = "default", time = START }: api.TestRoomOptions = {}) {
    needNumber(time, "a room's time");
    for (const [key, value] of Object.entries(config)) {
      if (typeof value !== "string") throw new TypeError(`config: the value of ${JSON.stringify(key)} must be a string`);
    }
    this.#world = new World(moduleOf(entry), roomId, { ...config }, time);
  }

  connect(request: string | api.TestRequest): TestSocket {
    const asked = toContract(typeof request === "string" ? { url: request } : request);
    const found = this.#world.authorize(asked);
    if ("status" in found) throw new ConnectionRefused(found.status, found.message);
    return new TestSocket(this.#world, this.#world.connect(found, sinceOf(asked.uri)));
  }

  connectAs({ userId, clientId = randomUUID(), channels = [], ...own }: api.TestMeta): TestSocket {
    const meta = checkedMeta({ userId, clientId, channels, fields: JSON.stringify(own) });
    return new TestSocket(this.#world, this.#world.connect(meta));
  }

  restore(reason: string): void {
    this.#world.restore(reason);
  }

  check(): void {
    // As on a server, a room that sleeps has nothing to check.
    const outcome = this.isAsleep() ? undefined : this.#world.giveHook("$check");
    if (outcome !== undefined && "failed" in outcome) throw new TurnFailed(outcome.failed);
  }

  sleep(): void {
    if (!this.isAsleep()) this.#world.suspend("sleep");
  }

  isAsleep(): boolean {
    return this.#world.instance === undefined;
  }

  suspended(): { schema: string; state: any } | undefined {
    const { suspended } = this.#world;
    if (suspended === null) return undefined;
    const state = suspended.tag === "json" ? JSON.parse(suspended.val) : suspended.val;
    // As `room.onSuspend` writes it; what a handler of `$suspend` itself answered has no schema.
    const isTagged = typeof state?.schema === "string" && "state" in state && Object.keys(state).length === 2;
    return isTagged ? state : { schema: "", state };
  }

  swap(entry?: string): void {
    const failed = this.#world.swap(moduleOf(entry));
    if (failed !== undefined) throw new TurnFailed(failed);
  }

  restart(): void {
    this.#world.restart();
  }

  advance(ms: number): void {
    needNumber(ms, "the time to advance by");
    const end = Math.trunc(this.#world.time) + Math.trunc(ms);
    let last = this.#world.time;
    let turns = 0;
    for (let at = this.#world.runDue(end); at !== undefined; at = this.#world.runDue(end)) {
      turns = at === last ? turns + 1 : 0;
      last = at;
      if (turns >= TURNS_AT_ONCE) {
        throw new Error(`at ${at} timers or the alarm set themselves for the same moment, for ever`);
      }
    }
    this.#world.time = end;
  }

  get time(): number {
    return this.#world.time;
  }

  set time(millis: number) {
    needNumber(millis, "a room's time");
    this.#world.time = millis;
  }

  timers(): api.TestTimer[] {
    return this.#world.schedule.timers().map(({ name, due, data }) => {
      return { name, due, data: data?.tag === "json" ? JSON.parse(data.val) : undefined };
    });
  }

  alarm(): number | undefined {
    return this.#world.schedule.alarm();
  }

  stored<T = any>(key: string): T | undefined {
    const bytes = this.storedBytes(key);
    if (bytes === undefined) return undefined;
    try {
      return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as T;
    } catch (cause) {
      throw new Error(`the value of ${JSON.stringify(key)} is not JSON`, { cause });
    }
  }

  storedBytes(key: string): Uint8Array | undefined {
    return this.#world.storage.committed(key)?.slice();
  }

  get storedKeys(): string[] {
    return [...this.#world.storage.keys()];
  }

  log(): string[] {
    return [...this.#world.log];
  }

  failures(): api.Failed[] {
    return this.#world.failures.map((failed) => ({ ...failed }));
  }

  elsewhere(): api.SaidElsewhere[] {
    return this.#world.elsewhere.splice(0);
  }

  get sessionCount(): number {
    return this.#world.members.count();
  }

  get userIds(): string[] {
    return this.#world.members.userIds();
  }

  get registered(): string[] {
    return [...this.#world.wanted].sort();
  }
}

function needNumber(value: unknown, what: string): void {
  if (typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return;
  throw new RangeError(`${what} is a number of milliseconds, 0 to ${Number.MAX_SAFE_INTEGER}, not ${String(value)}`);
}

/** `?since=CHANNEL:POSITION`, as often as there are channels; `0` asks for all that is kept. */
function sinceOf(uri: string): Since[] {
  const wanted = new Map<string, string | null>();
  for (const value of new URL(uri).searchParams.getAll("since")) {
    const at = value.lastIndexOf(":");
    const [channel, position] = at < 0 ? [value, ""] : [value.slice(0, at), value.slice(at + 1)];
    if (channel !== "" && !wanted.has(channel)) wanted.set(channel, position === "" || position === "0" ? null : position);
  }
  return [...wanted].map(([channel, after]) => ({ channel, after }));
}

/** The request as the host hands it over: an absolute address, the room that it names, header names in lower case. */
function toContract({ url, headers = {}, remote = "127.0.0.1" }: api.TestRequest): ContractRequest {
  const uri = url.startsWith("/") ? `ws://localhost${url}` : url;
  if (!URL.canParse(uri)) throw new TypeError(`an address begins with / or is absolute, unlike ${JSON.stringify(url)}`);
  const room = new URL(uri).searchParams.get("room") ?? "default";
  const pairs = Object.entries(headers).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  return { uri, room, headers: pairs, remote };
}
