/** Who is connected. */

/** Who a connection belongs to, its channels, and fields of your own (a JSON object up to 4 KiB). */
export interface ConnectionMeta {
  /** Who is connected: 1 to 128 bytes. One user may hold several sockets. */
  userId: string;
  /** Which connection this is: 1 to 128 bytes. */
  clientId: string;
  /** The channels that the socket is in: up to 64 names of 1 to 128 bytes. */
  channels: string[];
  /** Your own fields. */
  [field: string]: any;
}

/** What `extractMeta` returns: without a `clientId` it gets a random one, without `channels` it is in `default`. */
export type NewMeta<M extends ConnectionMeta = ConnectionMeta> = {
  [K in keyof M as K extends "clientId" | "channels" ? never : K]: M[K];
} & { clientId?: string; channels?: string[] };

/** A connection's own fields: its meta without `userId`, `clientId` and `channels`. */
export type OwnFields<M extends ConnectionMeta = ConnectionMeta> = {
  [K in keyof M as K extends "userId" | "clientId" | "channels" ? never : K]: M[K];
};
