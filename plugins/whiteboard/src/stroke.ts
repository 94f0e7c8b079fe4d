/** What a stroke is, and what of a client's words is none. */

import { reject } from "@parlor/guest";

/** The board's size in units: pages scale it to their window. */
export const BOARD = { width: 2400, height: 1800 };
/** A longer line is several strokes. No coordinate has more than four digits, so that a stroke takes 6 KB at most. */
export const POINTS_MOST = 500;
/** Of a line that is still being drawn, at a time. */
const LIVE_POINTS_MOST = 100;
const WIDTH_MOST = 100;
const ID_MOST = 40;
const COLOR = /^#[0-9a-f]{6}$/;

/** What a client draws. */
export interface Line {
  /** The client's own name for it, by which it knows its line again. */
  id: string;
  /** `#rrggbb`. */
  color: string;
  /** In units of the board. */
  width: number;
  /** x and y of each point in turn, whole units of the board. */
  points: number[];
}

/** A line that the room keeps. */
export interface Stroke extends Line {
  /** Its place in the order of drawing; never given twice. */
  number: number;
  /** The user who drew it. */
  by: string;
}

/** The line that a client finished. */
export function lineOf(data: unknown): Line {
  return checked(data, POINTS_MOST);
}

/** What a client added to the line that it is drawing. */
export function livePartOf(data: unknown): Line {
  return checked(data, LIVE_POINTS_MOST);
}

/** A point of the board. */
export function pointOf(data: unknown): { x: number; y: number } {
  const { x, y } = fieldsOf(data);
  if (!isWithin(x, BOARD.width) || !isWithin(y, BOARD.height)) reject("cursor.invalid", "x and y are a point of the board");
  return { x, y };
}

function checked(data: unknown, pointsMost: number): Line {
  const { id, color, width, points } = fieldsOf(data);
  const wrong = (what: string): never => reject("stroke.invalid", what);
  if (typeof id !== "string" || id.length < 1 || id.length > ID_MOST) wrong(`id has 1 to ${ID_MOST} characters`);
  if (typeof color !== "string" || !COLOR.test(color)) wrong("color is one like #1a2b3c");
  if (!isWithin(width, WIDTH_MOST) || width < 1) wrong(`width is a whole number from 1 to ${WIDTH_MOST}`);
  if (!Array.isArray(points) || points.length < 2 || points.length > 2 * pointsMost || points.length % 2 !== 0) {
    wrong(`points are x and y of 1 to ${pointsMost} points, in turn`);
  }
  for (let at = 0; at < points.length; at += 1) {
    const most = at % 2 === 0 ? BOARD.width : BOARD.height;
    if (!isWithin(points[at], most)) wrong(`points are whole numbers within ${BOARD.width} x ${BOARD.height}`);
  }
  return { id, color, width, points };
}

/** What is no object has no fields. */
function fieldsOf(data: unknown): any {
  return data ?? {};
}

function isWithin(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
}
