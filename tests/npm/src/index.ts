/** A room that tries packages of npm: each event names one, and is answered with what it came to. */

import { answer, defineRoom } from "@parlor/guest";
import { bytes } from "./bytes.ts";
import { checks } from "./checks.ts";
import { data } from "./data.ts";
import { games } from "./games.ts";
import { names, type Tokens } from "./names.ts";
import { state } from "./state.ts";
import { worlds } from "./worlds.ts";

const tries: Record<string, (given: Tokens) => unknown> = { ...bytes, ...checks, ...data, ...games, ...names, ...state, ...worlds };

const room = defineRoom({ name: "npm", websocketPath: "/npm" });
room.on("names", () => answer(Object.keys(tries)));
room.on("try", async (_ctx, { name, given }: { name: string; given: Tokens }) => answer((await tries[name]!(given)) ?? null));
