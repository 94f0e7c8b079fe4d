/** The notes of a user, as the room keeps them: one value a user, so that the notes and what is unread never differ. */

import type { Storage } from "@parlor/guest";

/** What somebody wrote to a user. */
export interface Note {
  id: number;
  from: string;
  text: string;
  sentAt: number;
  read: boolean;
}

interface Kept {
  lastId: number;
  notes: Note[];
}

/** The most characters of a note. With the number of notes it keeps a user's list within one emit of 64 KiB. */
export const TEXT_MOST = 280;
/** So many notes are kept a user; the oldest goes first. */
export const NOTES_MOST = 25;

export async function notesOf(storage: Storage, userId: string): Promise<Note[]> {
  return (await load(storage, userId)).notes;
}

export function unreadOf(notes: readonly Note[]): number {
  return notes.filter((note) => !note.read).length;
}

/** Adds a note; says which it became, and how many are unread now. */
export async function addNote(storage: Storage, userId: string, words: Omit<Note, "id" | "read">) {
  const kept = await load(storage, userId);
  const note: Note = { id: kept.lastId + 1, ...words, read: false };
  const notes = [...kept.notes, note].slice(-NOTES_MOST);
  await storage.put(key(userId), { lastId: note.id, notes } satisfies Kept);
  return { note, unread: unreadOf(notes) };
}

/** Marks one note as read, or all of them; says how many are unread now. */
export async function markRead(storage: Storage, userId: string, id: number | undefined): Promise<number> {
  const kept = await load(storage, userId);
  const wanted = kept.notes.filter((note) => !note.read && (id === undefined || note.id === id));
  for (const note of wanted) note.read = true;
  if (wanted.length > 0) await storage.put(key(userId), kept);
  return unreadOf(kept.notes);
}

async function load(storage: Storage, userId: string): Promise<Kept> {
  return (await storage.get<Kept>(key(userId))) ?? { lastId: 0, notes: [] };
}

function key(userId: string): string {
  return `notes/${userId}`;
}
