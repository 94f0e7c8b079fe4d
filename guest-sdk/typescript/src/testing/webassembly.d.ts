/** What of node's WebAssembly a test room uses. */

declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): { module: string; name: string }[];
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, (...args: number[]) => unknown>>);
    readonly exports: object;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
  }
}
