/** The modules of rooms: bundled as for the server, once a run of `parlor-guest test`. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

/** What `parlor-guest test` tells the tests: `build/test.mjs` writes it. */
interface Setting {
  /** The project's folder. */
  root: string;
  /** The module of the project's own room. */
  entry: string;
  /** Where the bundles of rooms are, and go. */
  folder: string;
  /** The program that bundles one. */
  bundler: string;
}

/** A room's module in the engine, ready for as many instances as it takes. */
export type RoomModule = WebAssembly.Module;

const known = new Map<string, RoomModule>();

function setting(): Setting {
  const text = process.env.PARLOR_TEST;
  if (text === undefined) throw new Error("a TestRoom is for tests that `parlor-guest test` runs: it bundles the room");
  return JSON.parse(text) as Setting;
}

/** The module of a room; without an entry the project's own. */
export function moduleOf(entry?: string): RoomModule {
  const { root, entry: own, folder, bundler } = setting();
  const path = resolve(root, entry ?? own);
  const found = known.get(path);
  if (found !== undefined) return found;
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new Error(`there is no room's module ${JSON.stringify(entry ?? own)} in ${root}`);
  }
  const bundled = join(folder, `${createHash("sha256").update(path).digest("hex")}.wasm`);
  if (!existsSync(bundled)) bundle(bundler, path, bundled);
  const module = new WebAssembly.Module(readFileSync(bundled));
  known.set(path, module);
  return module;
}

function bundle(bundler: string, entry: string, out: string): void {
  const { status, stderr, error } = spawnSync(process.execPath, [bundler, entry, out], { encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(stderr.trim());
}
