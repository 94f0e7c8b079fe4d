export { nothing } from "./nowhere-at-all.js";
