/** The strokes as the room keeps them: one key a stroke, in the order of drawing, and one for what is counted. */

import { reject, type Storage } from "@parlor/guest";
import type { Line, Stroke } from "./stroke.js";

/** So many strokes a board: at 6 KB each they take 12 MB of the room's 16 MiB. */
export const STROKES_MOST = 2_000;
/**
 * A page of strokes has to fit into an emit of 64 KiB, and its turn into 50 ms. It is weighed in numbers of five bytes with
 * their commas, a stroke's other fields as so many of them, and is read in steps: eight strokes of the longest kind more than the
 * weight at which it ends are 57 KB.
 */
const PAGE_WEIGHT = 3_000;
const STROKE_WEIGHT = 60;
const PAGE_STEP = 8;
/** How many strokes of a cleared board one turn removes, in calls of at most as many keys as the storage takes. */
const SWEEP_CALLS = 8;
const SWEEP_KEYS = 128;

const PREFIX = "stroke/";
const COUNTS = "counts";

/** Strokes from `first` up to `next` are on the board, as far as they were not removed; those from `swept` to `first` wait for the sweep. */
interface Counts {
  swept: number;
  first: number;
  next: number;
  strokes: number;
}

/** Keeps a line; says which stroke it became. */
export async function addStroke(storage: Storage, by: string, line: Line): Promise<Stroke> {
  const counts = await load(storage);
  if (counts.strokes >= STROKES_MOST) reject("board.full", `the board has its ${STROKES_MOST} strokes: clear it`);
  const stroke = { number: counts.next, by, ...line };
  counts.next += 1;
  counts.strokes += 1;
  await storage.put({ [key(stroke.number)]: stroke, [COUNTS]: counts });
  return stroke;
}

/** Removes a stroke of this user; says whether it was on the board. */
export async function removeStroke(storage: Storage, by: string, number: number): Promise<boolean> {
  const counts = await load(storage);
  const stroke = number >= counts.first ? await storage.get<Stroke>(key(number)) : undefined;
  if (stroke === undefined) return false;
  if (stroke.by !== by) reject("stroke.not-yours", `that stroke is ${stroke.by}'s`);
  await storage.delete(key(number));
  await storage.put(COUNTS, { ...counts, strokes: counts.strokes - 1 });
  return true;
}

/** A part of the board, behind the stroke of this number; `next` is the last number in it where there may be more. */
export async function pageOfStrokes(storage: Storage, after: number): Promise<{ strokes: Stroke[]; next?: number }> {
  const { first } = await load(storage);
  const strokes: Stroke[] = [];
  let last = Math.max(after, first - 1);
  for (let weight = 0; weight < PAGE_WEIGHT; ) {
    const { entries, next } = await storage.page<Stroke>({ prefix: PREFIX, after: key(last), limit: PAGE_STEP });
    for (const [, stroke] of entries) {
      strokes.push(stroke);
      weight += stroke.points.length + STROKE_WEIGHT;
      last = stroke.number;
    }
    if (next === undefined) return { strokes };
  }
  return { strokes, next: last };
}

/**
 * Takes all strokes off the board, at once: what is stored of them goes in the sweep, since a full board is more than one turn
 * can remove. Says whether there is something to sweep.
 */
export async function clearBoard(storage: Storage): Promise<boolean> {
  const counts = await load(storage);
  await storage.put(COUNTS, { ...counts, first: counts.next, strokes: 0 });
  return counts.swept < counts.next;
}

/** Removes strokes of a cleared board from the storage; says whether there are more of them. Running twice does no harm. */
export async function sweep(storage: Storage): Promise<boolean> {
  const counts = await load(storage);
  for (let call = 0; call < SWEEP_CALLS && counts.swept < counts.first; call += 1) {
    const length = Math.min(SWEEP_KEYS, counts.first - counts.swept);
    const from = counts.swept;
    await storage.delete(Array.from({ length }, (_, at) => key(from + at)));
    counts.swept += length;
  }
  await storage.put(COUNTS, counts);
  return counts.swept < counts.first;
}

async function load(storage: Storage): Promise<Counts> {
  return (await storage.get<Counts>(COUNTS)) ?? { swept: 1, first: 1, next: 1, strokes: 0 };
}

/** Keys are in the order of their bytes, so that the numbers are written with all their digits. */
function key(number: number): string {
  return PREFIX + String(number).padStart(12, "0");
}
