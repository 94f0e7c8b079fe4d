/** What `@parlor/guest` is in the bundle of a test: for modules of the author's that a test calls by themselves. */

export * from "../index.js";
