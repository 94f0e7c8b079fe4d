/** The type check, by TypeScript's own compiler. */

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join, parse } from "node:path";
import { SDK } from "./bundle.mjs";

/** The settings of a file: the nearest `tsconfig.json` of its project, which a `package.json` marks; else of its folder. */
export function tsconfigOf(entry) {
  const found = [];
  for (let folder = dirname(entry); ; folder = dirname(folder)) {
    const settings = join(folder, "tsconfig.json");
    if (existsSync(settings)) found.push({ folder, settings });
    if (existsSync(join(folder, "package.json"))) return found[0]?.settings;
    if (folder === parse(folder).root) break;
  }
  return found.find(({ folder }) => folder === dirname(entry))?.settings;
}

/**
 * Checks the types of what a plugin is made of: its entry and what that imports. Returns whether they hold, what the
 * compiler said in its own form (paths seen from the working folder), and the files that it read.
 */
export async function check({ entries, tsconfig, color }) {
  const folder = mkdtempSync(join(tmpdir(), "parlor-check-"));
  try {
    const project = join(folder, "tsconfig.json");
    const settings = { extends: tsconfig ?? join(SDK, "tsconfig.base.json"), files: entries, include: [] };
    writeFileSync(project, JSON.stringify({ ...settings, compilerOptions: { noEmit: true, composite: false, incremental: false } }));
    const { status, output } = await tsc(["-p", project, "--listFiles", "--pretty", String(color)]);
    const lines = output.split("\n");
    const files = lines.filter((line) => isAbsolute(line.trim()) && existsSync(line.trim()));
    const said = lines.filter((line) => !files.includes(line)).join("\n").trim();
    return { holds: status === 0, said, files: files.map((file) => file.trim()) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tsc(args) {
  const require = createRequire(import.meta.url);
  const program = join(dirname(require.resolve("typescript/package.json")), "bin/tsc");
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", reject).on("close", (status) => resolve({ status, output }));
  });
}
