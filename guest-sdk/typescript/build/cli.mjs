#!/usr/bin/env node
/** `parlor-guest`: what authors, `parlor build` and `parlor dev` call. */

import { parseArgs } from "node:util";
import { build } from "./index.mjs";

const USAGE = `Usage: parlor-guest build --entry FILE.ts --name PLUGIN --out OUT.wasm [options]
       parlor-guest test [options] [FILES...]

Options of build:
  --tsconfig FILE   the settings of the type check [default: the project's tsconfig.json]
  --no-check        leave out the type check
  --inputs FILE     write the files that were read there: a JSON array of absolute paths
  --verbose         say what each step took

Options of test, which runs the project's test/**/*.test.ts or these files:
  --only PATTERN    only tests whose names match
  --tsconfig FILE   the settings of the type check [default: the nearest tsconfig.json]
  --no-check        leave out the type check`;

const OPTIONS = {
  entry: { type: "string" },
  name: { type: "string" },
  out: { type: "string" },
  tsconfig: { type: "string" },
  "no-check": { type: "boolean" },
  inputs: { type: "string" },
  verbose: { type: "boolean" },
};

function wrongUsage(why) {
  console.error(`parlor-guest: ${why}\n${USAGE}`);
  return 2;
}

async function main([command, ...args]) {
  switch (command) {
    case "build":
      return runBuild(args);
    case "test": {
      const { test } = await import("./test.mjs");
      return test(args);
    }
    case "script": {
      // For the server alone, which gives what it says in one piece.
      const { buildScript } = await import("./script.mjs");
      return buildScript(JSON.parse(args[0]));
    }
    case "--help":
    case "-h":
      console.log(USAGE);
      return 0;
    case undefined:
      return wrongUsage("say what to do");
    default:
      return wrongUsage(`there is no command ${JSON.stringify(command)}`);
  }
}

async function runBuild(args) {
  let values;
  try {
    ({ values } = parseArgs({ args, options: OPTIONS, allowPositionals: false }));
  } catch (error) {
    return wrongUsage(error.message);
  }
  const missing = ["entry", "name", "out"].find((option) => values[option] === undefined);
  if (missing !== undefined) return wrongUsage(`build needs --${missing}`);
  const { entry, name, out, tsconfig, inputs, verbose = false } = values;
  const check = !values["no-check"];
  return (await build({ entry, name, out, tsconfig, check, inputs, verbose })) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
