/** Parts of the web's API that a plugin has where its code, or that of a dependency, names them. */

/** The same clock as `Date`, which stands still within a turn. */
interface Performance {
  readonly timeOrigin: number;
  now(): number;
}
declare var performance: Performance;

/** Bytes that do not change. */
interface Blob {
  readonly size: number;
  readonly type: string;
  arrayBuffer(): Promise<ArrayBuffer>;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  slice(start?: number, end?: number, type?: string): Blob;
  text(): Promise<string>;
}
declare var Blob: {
  prototype: Blob;
  new (parts?: Iterable<string | ArrayBuffer | ArrayBufferView | Blob>, options?: { type?: string }): Blob;
};

/** A key of `crypto.subtle`. */
interface CryptoKey {
  readonly type: "public" | "secret";
  readonly extractable: boolean;
  readonly algorithm: { name: string };
  readonly usages: ("sign" | "verify")[];
}
declare var CryptoKey: { prototype: CryptoKey };

/** A key as JSON: https://www.rfc-editor.org/rfc/rfc7517. */
interface JsonWebKey {
  kty?: string;
  alg?: string;
  crv?: string;
  e?: string;
  ext?: boolean;
  k?: string;
  key_ops?: string[];
  n?: string;
  use?: string;
  x?: string;
  y?: string;
}

/** An algorithm by its name; HMAC, RSA and ECDSA have a hash beside it, and ECDSA a curve, which is `P-256`. */
type SubtleAlgorithm = string | { name: string; hash?: string | { name: string }; namedCurve?: string; length?: number };

/**
 * Digests (SHA-1, SHA-256, SHA-384, SHA-512), HMAC, and the signatures by which tokens of others are checked: RSASSA-PKCS1-v1_5,
 * ECDSA with P-256 and Ed25519. What else the web has is answered with a `NotSupportedError`.
 */
interface SubtleCrypto {
  digest(algorithm: SubtleAlgorithm, data: ArrayBufferView | ArrayBuffer): Promise<ArrayBuffer>;
  /** Takes a key in the form `raw`, `spki` or `jwk`. */
  importKey(
    format: "raw" | "spki" | "jwk",
    data: ArrayBufferView | ArrayBuffer | JsonWebKey,
    algorithm: SubtleAlgorithm,
    extractable: boolean,
    usages: readonly ("sign" | "verify")[],
  ): Promise<CryptoKey>;
  /** Gives a key for HMAC back. */
  exportKey(format: "raw", key: CryptoKey): Promise<ArrayBuffer>;
  exportKey(format: "jwk", key: CryptoKey): Promise<JsonWebKey>;
  /** Makes a key for HMAC. */
  generateKey(algorithm: SubtleAlgorithm, extractable: boolean, usages: readonly ("sign" | "verify")[]): Promise<CryptoKey>;
  /** Signs with a key for HMAC. */
  sign(algorithm: SubtleAlgorithm, key: CryptoKey, data: ArrayBufferView | ArrayBuffer): Promise<ArrayBuffer>;
  verify(
    algorithm: SubtleAlgorithm,
    key: CryptoKey,
    signature: ArrayBufferView | ArrayBuffer,
    data: ArrayBufferView | ArrayBuffer,
  ): Promise<boolean>;
}
interface Crypto {
  readonly subtle: SubtleCrypto;
}

/** Something that happened. Without a page nothing bubbles. */
interface Event {
  readonly type: string;
  readonly target: EventTarget | null;
  readonly currentTarget: EventTarget | null;
  readonly cancelable: boolean;
  readonly defaultPrevented: boolean;
  preventDefault(): void;
  stopPropagation(): void;
  stopImmediatePropagation(): void;
}
declare var Event: { prototype: Event; new (type: string, init?: { cancelable?: boolean }): Event };

interface CustomEvent<T = any> extends Event {
  readonly detail: T;
}
declare var CustomEvent: {
  prototype: CustomEvent;
  new <T>(type: string, init?: { cancelable?: boolean; detail?: T }): CustomEvent<T>;
};

type EventListenerOrObject = ((event: any) => unknown) | { handleEvent(event: any): unknown };
interface EventTarget {
  addEventListener(
    type: string,
    listener: EventListenerOrObject | null,
    options?: boolean | { once?: boolean; signal?: AbortSignal },
  ): void;
  removeEventListener(type: string, listener: EventListenerOrObject | null): void;
  dispatchEvent(event: Event): boolean;
}
declare var EventTarget: { prototype: EventTarget; new (): EventTarget };

interface AbortSignal extends EventTarget {
  readonly aborted: boolean;
  readonly reason: any;
  onabort: ((event: Event) => unknown) | null;
  throwIfAborted(): void;
}
declare var AbortSignal: {
  prototype: AbortSignal;
  abort(reason?: any): AbortSignal;
  any(signals: Iterable<AbortSignal>): AbortSignal;
  timeout(delayMs: number): AbortSignal;
};

interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: any): void;
}
declare var AbortController: { prototype: AbortController; new (): AbortController };
