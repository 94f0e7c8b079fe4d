/** Who is in the test room. */

import type { ContractMeta } from "../host.js";
import { byBytes, CHANNELS_PER_SOCKET, checkName, exceeded, noSuchSocket } from "./bounds.js";

interface Member {
  meta: ContractMeta;
  /** False once it was closed or is leaving: in no channel and no count, but its meta can still be read. */
  present: boolean;
}

/** The members of a room. A turn works on a copy, which replaces the original when it commits. */
export class Members {
  readonly #members = new Map<number, Member>();

  copy(): Members {
    const copy = new Members();
    for (const [id, { meta, present }] of this.#members) {
      copy.#members.set(id, { meta: { ...meta, channels: [...meta.channels] }, present });
    }
    return copy;
  }

  insert(id: number, meta: ContractMeta): void {
    this.#members.set(id, { meta, present: true });
  }

  forget(id: number): void {
    this.#members.delete(id);
  }

  depart(id: number): void {
    const member = this.#members.get(id);
    if (member !== undefined) member.present = false;
  }

  meta(id: number): ContractMeta {
    const member = this.#members.get(id);
    if (member === undefined) throw noSuchSocket();
    return member.meta;
  }

  isPresent(id: number): boolean {
    return this.#members.get(id)?.present ?? false;
  }

  /** The meta of a socket that can be changed: one that is present. */
  changeable(id: number): ContractMeta {
    const member = this.#members.get(id);
    if (member === undefined || !member.present) throw noSuchSocket();
    return member.meta;
  }

  join(id: number, channel: string): void {
    const { channels } = this.changeable(id);
    checkName("the channel", channel);
    if (channels.includes(channel)) return;
    if (channels.length >= CHANNELS_PER_SOCKET) throw exceeded("channels-per-socket");
    channels.push(channel);
  }

  leave(id: number, channel: string): void {
    const meta = this.changeable(id);
    meta.channels = meta.channels.filter((name) => name !== channel);
  }

  /** The channel that a frame to this socket alone carries. */
  firstChannel(id: number | null): string {
    const member = id === null ? undefined : this.#members.get(id);
    return member?.meta.channels[0] ?? "default";
  }

  inChannel(channel: string): number[] {
    return this.#those((meta) => meta.channels.includes(channel));
  }

  ofUser(userId: string): number[] {
    return this.#those((meta) => meta.userId === userId);
  }

  ofClients(clientIds: string[]): number[] {
    return this.#those((meta) => clientIds.includes(meta.clientId));
  }

  present(userId: string | null): number[] {
    return this.#those((meta) => userId === null || meta.userId === userId);
  }

  /** Up to so many sockets of a channel, behind one. */
  page(channel: string, after: number | null, limit: number): number[] {
    return this.inChannel(channel).filter((id) => after === null || id > after).slice(0, limit);
  }

  /** The sockets of a channel that are of these users and have these client ids, where such are given. */
  some(channel: string, users: readonly string[] | null, clients: readonly string[] | null): number[] {
    const among = (list: readonly string[] | null, id: string) => list === null || list.includes(id);
    return this.#those(
      (meta) => meta.channels.includes(channel) && among(users, meta.userId) && among(clients, meta.clientId),
    );
  }

  count(): number {
    return this.#those(() => true).length;
  }

  userIds(): string[] {
    const present = [...this.#members.values()].filter((member) => member.present);
    return [...new Set(present.map((member) => member.meta.userId))].sort(byBytes);
  }

  #those(wanted: (meta: ContractMeta) => boolean): number[] {
    const found: number[] = [];
    for (const [id, { meta, present }] of this.#members) if (present && wanted(meta)) found.push(id);
    return found;
  }
}
