/** The parts of the SDK that a plugin has only where it needs them: each costs memory in every room. */

import * as esbuild from "esbuild";

/**
 * Each part by its name: the file that puts its globals in place, and the names by which a plugin that needs it is known.
 * What is read off `globalThis` by a computed name may be any of them but those that few ask for.
 */
export const PARTS = {
  url: { file: "globals-url.ts", names: /\b(URL|URLSearchParams|Request)\b|\bglobalThis\s*\[/ },
  events: { file: "globals-events.ts", names: /\b(AbortController|AbortSignal|EventTarget|CustomEvent)\b|\bnew Event\b/ },
  locale: { file: "globals-locale.ts", names: /toLocale|localeCompare|\b__parlorIntl\b/ },
  blob: { file: "globals-blob.ts", names: /\bBlob\b/ },
  weak: { file: "globals-weak.ts", names: /\bWeakRef\b/ },
  subtle: { file: "globals-subtle.ts", names: /\bsubtle\b/ },
};

/**
 * The parts that an author's code and what it depends on, less what of it is never used, asks for. `options` are those of the
 * bundle itself, `outside` the names that the SDK is imported as, `plugins` say where files come from.
 */
export async function partsFor(entry, options, outside, plugins = []) {
  const sdk = {
    name: "parlor-outside",
    setup(build) {
      build.onResolve({ filter: outside }, ({ path }) => ({ path, external: true }));
    },
  };
  try {
    const result = await esbuild.build({ ...options, entryPoints: [entry], format: "esm", plugins: [sdk, ...plugins], minifySyntax: true });
    const text = result.outputFiles[0].text;
    return Object.keys(PARTS).filter((part) => PARTS[part].names.test(text));
  } catch {
    // The bundle itself will say what is wrong.
    return [];
  }
}
