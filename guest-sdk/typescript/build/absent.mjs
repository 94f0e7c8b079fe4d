/** What a plugin has not, and packages ask for: node's own modules. */

import { builtinModules } from "node:module";

/** Packages that do what some of node's modules do. */
const PACKAGES = {
  assert: "assert",
  buffer: "buffer",
  events: "events",
  path: "path-browserify",
  querystring: "querystring",
  stream: "readable-stream",
  string_decoder: "string_decoder",
  url: "url",
  util: "util",
};

const SANDBOX = "one of node's own modules, and a plugin runs in a sandbox without node";

/** Whether this is the name of one of node's modules. */
export function isNodes(name) {
  return builtinModules.includes(name.replace(/^node:/, ""));
}

/** Why such a module is not there, and what can be done about it. */
export function nodesModule(name) {
  const instead = PACKAGES[name.replace(/^node:/, "")];
  const alias = `in package.json: "parlor": { "esbuild": { "alias": { ${JSON.stringify(name)}: ${JSON.stringify(instead ?? "./src/instead.ts")} } } }`;
  if (instead === undefined) return `It is ${SANDBOX}. To do without it, put a file of yours in its place, ${alias}`;
  const install = `npm install ${instead}`;
  return `It is ${SANDBOX}. There is a package that does the same: ${install}${instead === name ? "" : `, and ${alias}`}`;
}

/**
 * Lets dependencies ask for node's modules by a call, as they do where they may be in node: the call throws, if they come to it.
 * `isForeign` tells their files, and `asked` is a list that the names with their places are added to.
 */
export function absent(isForeign, asked) {
  return {
    name: "parlor-absent",
    setup(build) {
      build.onResolve({ filter: /^(node:)?[a-z_]+(\/[a-z_]+)?$/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
        if (kind !== "require-call" || pluginData === absent || !isNodes(path) || !isForeign(importer)) return undefined;
        const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: absent });
        if (found.errors.length === 0 && !found.external) return undefined;
        if (!asked.some((one) => one.path === path && one.importer === importer)) asked.push({ path, importer });
        return { path, namespace: "parlor-absent" };
      });
      build.onLoad({ filter: /.*/, namespace: "parlor-absent" }, ({ path }) => {
        return { contents: `throw new Error(${JSON.stringify(`${path} is ${SANDBOX}`)})`, loader: "js" };
      });
    },
  };
}

/** The warnings about those calls. `packageOf` finds the package of a file. */
export function absentWarnings(asked, packageOf) {
  const told = new Set(asked.map(({ path, importer }) => `${packageOf(importer)} asks for ${path}, which throws where it comes to it`));
  return [...told].map((text) => ({ text }));
}
