// The overview's playground, as a user works it.
import { openTab } from "./browser.mjs";

/** The overview in a tab of its own, once it shows what is served. */
export async function openOverview(context, base) {
  const tab = await openTab(context, `${base}/_parlor/`);
  await tab.getByText("Live", { exact: true }).waitFor();
  return tab;
}

/** One of its connections. */
export const panel = (tab, number) => tab.getByRole("region", { name: `Connection ${number}` });

/** The texts of the frames of one direction, as they are shown. */
export const frames = (place, direction) => place.locator(`.frame.${direction} .frame-body`).allTextContents();
export const frame = (place, direction, text) => place.locator(`.frame.${direction}`).filter({ hasText: text });

export async function connect(place, { plugin = "default/chat", room, query }) {
  await place.getByLabel("Plugin").selectOption(plugin);
  await place.getByLabel("Room").fill(room);
  await place.getByLabel("Query").fill(query);
  await place.getByRole("button", { name: "Connect", exact: true }).click();
}

/** Comes into a room of the chat. */
export async function join(place, room, user) {
  await connect(place, { room, query: `userId=${encodeURIComponent(user)}` });
  await place.getByText("Connected", { exact: true }).waitFor();
  await frame(place, "in", "welcome").waitFor();
}

export async function send(place, event, data = "", channel = "") {
  await place.getByLabel("Event").fill(event);
  await place.getByLabel("Channel").fill(channel);
  await place.getByLabel("Data").fill(data);
  await place.getByRole("button", { name: "Send" }).click();
}
