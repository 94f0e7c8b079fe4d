/** Async functions as the SDK runs them, in the place of esbuild's own helper for them. */

/** esbuild's helper, minified or not, without what stands behind it. */
const HELPER = /__async\s*=\s*\(__this,\s*__arguments,\s*generator\)\s*=>[\s\S]*?\.next\(\)\)[;\s]*\}\)([;\s]*\})?/;
const CALL = /\b__async\(/;

/** `src/globals.ts` puts it there, which is run after this. */
const OURS = "__async=(t,a,g)=>__parlorAsync(t,a,g)";

/** Puts the SDK's function in the helper's place; every other place of the bundle stays where it was. */
export function withOwnAsync(code) {
  const helper = HELPER.exec(code);
  if (helper === null) {
    if (CALL.test(code)) throw new Error("esbuild has changed its helper for async functions: mend build/async.mjs");
    return code;
  }
  const [text] = helper;
  const rest = text.slice(OURS.length).replace(/[^\n]/g, " ");
  return code.slice(0, helper.index) + OURS + rest + code.slice(helper.index + text.length);
}
