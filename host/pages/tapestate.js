// What a room is, at each turn of its tape: who is in it, what it stores, when its alarm rings. A tape says how the room was at its
// beginning, and what each turn asked for; a turn counts where it committed.

// What the keys of the host's own begin with.
const OF_HOST = "\u0000parlor/";

/** Whether a turn left no trace. `init` has no verdict; nor has the last turn, where the tape was written before the room decided. */
export function failed({ event, outcome, verdict }) {
  if (verdict) return verdict !== "committed";
  return event === null ? "unready" in outcome || "faulted" in outcome : !("answered" in outcome);
}

/** How a turn ended, in words. */
export function outcomeWords({ outcome, verdict }) {
  const [[kind, what]] = Object.entries(outcome);
  const words = {
    ready: () => "ready",
    unready: () => `refused: ${what}`,
    answered: () => (what === null ? "done" : "done, with an answer"),
    failed: () => `failed with ${what.code}: ${what.message}`,
    faulted: () => `${what.code}: ${what.words}`,
  }[kind]?.() ?? kind;
  // A verdict says more where the turn was done and yet left no trace.
  return kind === "answered" && verdict && verdict !== "committed" ? verdict : words;
}

/** The room before the tape's first turn. */
export function beginning({ members, storage, alarm }) {
  return {
    members: new Map(members.map((member) => [member.socket, { ...member, channels: [...member.channels] }])),
    // None where the room stored more than a tape takes along.
    storage: storage ? new Map(Object.entries(storage).filter(([key]) => !key.startsWith(OF_HOST))) : null,
    alarm,
  };
}

/** A room that changes by itself. */
export function copy({ members, storage, alarm }) {
  return {
    members: new Map([...members].map(([socket, member]) => [socket, { ...member, channels: [...member.channels] }])),
    storage: storage && new Map(storage),
    alarm,
  };
}

/** Makes of a room what it is after a turn. */
export function apply(room, turn) {
  for (const what of turn.between) happened(room, what);
  if (failed(turn)) return;
  if (turn.event?.cause === "$alarm") room.alarm = null;
  for (const call of turn.calls) if (!isRefused(call.answer)) called(room, call);
}

function happened({ members }, what) {
  if (what.admitted) members.set(what.admitted.socket, { ...what.admitted, channels: [...what.admitted.channels] });
  if ("departed" in what && members.has(what.departed)) members.get(what.departed).is_present = false;
  if ("forgotten" in what) members.delete(what.forgotten);
}

function isRefused(answer) {
  return answer !== null && typeof answer === "object" && ("refused" in answer || "stopped" in answer);
}

function called(room, { call, args }) {
  const member = room.members.get(args?.[0]);
  const store = room.storage;
  switch (call) {
    case "storage.put": return store?.set(args[0], args[1]);
    case "storage.put-many": return args[0].forEach(({ key, value }) => store?.set(key, value));
    case "storage.delete": return store?.delete(args[0]);
    case "storage.delete-many": return args[0].forEach((key) => store?.delete(key));
    case "alarm.set": return (room.alarm = args[0]);
    case "alarm.cancel": return (room.alarm = null);
    case "sockets.set-fields": return member && (member.fields = args[1]);
    case "sockets.join": return member && !member.channels.includes(args[1]) && member.channels.push(args[1]);
    case "sockets.leave": return member && (member.channels = member.channels.filter((channel) => channel !== args[1]));
    default: return undefined;
  }
}

/** What is stored, as text. An empty value is an empty list in the tape's JSON. */
export function valueWords(value) {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.length === 0 ? "" : JSON.stringify(value);
  return value?.base64 === undefined ? JSON.stringify(value) : `base64 ${value.base64}`;
}
