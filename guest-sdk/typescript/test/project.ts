/** Projects of authors, made for a test. */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

/** Tests run in the SDK's folder. */
const SDK = process.cwd();

/** A project of these files beside `package.json`; it is gone with the test. */
export function project(t: TestContext, files: Record<string, string>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "parlor-project-")));
  t.after(() => rmSync(root, { recursive: true }));
  const settings = { extends: join(SDK, "tsconfig.base.json"), include: ["src", "test"] };
  const all = { "package.json": '{ "name": "doubles" }', "tsconfig.json": JSON.stringify(settings), ...files };
  for (const [name, content] of Object.entries(all)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

/** Runs `parlor-guest test` in a folder. */
export function run(folder: string, ...args: string[]) {
  const done = spawnSync(process.execPath, [join(SDK, "build/cli.mjs"), "test", ...args], { cwd: folder, encoding: "utf8" });
  return { status: done.status, out: done.stdout, err: done.stderr };
}
