/**
 * What depends on a locale. The engine knows none: where it is asked for one, an error says so, because an answer without it
 * would be wrong in silence. Without one the answers are those of English in the time zone of all rooms, UTC.
 */

const ENGLISH = ["en", "en-US"];

function unknown(what: string): never {
  throw new Error(
    `${what} is not there in a plugin: its engine knows no locales. Leave the locale and the options out, write it out, ` +
      `take a package that brings its own tables, or let the client do it, who knows the reader's locale`,
  );
}

/** Throws unless the arguments ask for what is there anyway. */
function needNone(what: string, locales: unknown, options: unknown): void {
  const isEnglish = locales === undefined || ENGLISH.includes(String(locales));
  const hasOptions = options !== undefined && options !== null && !isOfUtc(options as Record<string, unknown>);
  if (!isEnglish || hasOptions) unknown(`${what} with ${hasOptions ? "options" : `the locale ${String(locales)}`}`);
}

/** Whether options ask for nothing, or for the time zone that all rooms have. */
function isOfUtc(options: Record<string, unknown>): boolean {
  return Object.keys(options).every((name) => name === "timeZone" && options[name] === "UTC");
}

/** A whole number's digits in groups of three. */
function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** The whole and the fraction of the shortest decimal number that means this one, without an exponent. */
function decimal(size: number): [string, string] {
  const [digits, exponent = "0"] = String(size).split("e");
  const [whole, fraction = ""] = digits!.split(".");
  const shift = Number(exponent);
  if (shift >= 0) return [whole! + fraction.slice(0, shift).padEnd(shift, "0"), fraction.slice(shift)];
  return ["0", "0".repeat(-shift - 1) + whole + fraction];
}

/** A number with up to three digits behind the point, rounded as people do. */
function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (Math.abs(value) === Infinity) return `${sign}∞`;
  const [whole, fraction] = decimal(Math.abs(value));
  const thousandths = BigInt(whole + fraction.slice(0, 3).padEnd(3, "0")) + (fraction.charAt(3) >= "5" ? 1n : 0n);
  const rest = String(thousandths % 1_000n).padStart(3, "0").replace(/0+$/, "");
  return `${sign}${grouped(String(thousandths / 1_000n))}${rest === "" ? "" : `.${rest}`}`;
}

function dateText(date: Date): string {
  return `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()}`;
}

function timeText(date: Date): string {
  const two = (number: number) => String(number).padStart(2, "0");
  const hours = date.getUTCHours();
  return `${hours % 12 || 12}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} ${hours < 12 ? "AM" : "PM"}`;
}

/** A method of dates that writes one. */
function dateMethod(name: string, write: (date: Date) => string) {
  return function (this: Date, locales?: unknown, options?: unknown): string {
    needNone(`Date.prototype.${name}`, locales, options);
    return Number.isNaN(this.getTime()) ? "Invalid Date" : write(this);
  };
}

/** A method of lists that joins what each of the items writes. */
function listMethod(name: string) {
  return function (this: ArrayLike<unknown>, locales?: unknown, options?: unknown): string {
    needNone(`${name}.prototype.toLocaleString`, locales, options);
    return Array.from(this, (item) => (item === null || item === undefined ? "" : (item as object).toLocaleString())).join(",");
  };
}

/** A method that changes the case: only these languages have a way of their own. */
function caseMethod(name: "toLocaleLowerCase" | "toLocaleUpperCase", plain: "toLowerCase" | "toUpperCase") {
  return function (this: string, locales?: unknown): string {
    if (/^(az|lt|tr)\b/i.test(String(locales))) unknown(`String.prototype.${name} with the locale ${String(locales)}`);
    return String(this)[plain]();
  };
}

const METHODS: [object, Record<string, unknown>][] = [
  [
    Number.prototype,
    {
      toLocaleString(this: number, locales?: unknown, options?: unknown): string {
        needNone("Number.prototype.toLocaleString", locales, options);
        return numberText(Number(this));
      },
    },
  ],
  [
    BigInt.prototype,
    {
      toLocaleString(this: bigint, locales?: unknown, options?: unknown): string {
        needNone("BigInt.prototype.toLocaleString", locales, options);
        return grouped(this.toString());
      },
    },
  ],
  [
    Date.prototype,
    {
      toLocaleString: dateMethod("toLocaleString", (date) => `${dateText(date)}, ${timeText(date)}`),
      toLocaleDateString: dateMethod("toLocaleDateString", dateText),
      toLocaleTimeString: dateMethod("toLocaleTimeString", timeText),
    },
  ],
  [Array.prototype, { toLocaleString: listMethod("Array") }],
  [Object.getPrototypeOf(Uint8Array.prototype), { toLocaleString: listMethod("TypedArray") }],
  [
    String.prototype,
    {
      /** By the numbers of the characters: whether a letter is large comes before which it is. */
      localeCompare(this: string, that: unknown, locales?: unknown, options?: unknown): number {
        if (locales !== undefined || options !== undefined) unknown("String.prototype.localeCompare with a locale or options");
        const [a, b] = [String(this).normalize(), String(that).normalize()];
        return a < b ? -1 : a > b ? 1 : 0;
      },
      toLocaleLowerCase: caseMethod("toLocaleLowerCase", "toLowerCase"),
      toLocaleUpperCase: caseMethod("toLocaleUpperCase", "toUpperCase"),
    },
  ],
];

/** Puts the methods in the place of the engine's. */
export function installLocale(): void {
  for (const [target, methods] of METHODS) {
    for (const [name, value] of Object.entries(methods)) {
      Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
    }
  }
}

/**
 * What stands in the place of `Intl.NumberFormat` and the like, by the build: `typeof Intl` says that there is none, so that
 * whoever looks first can do without.
 */
export const noIntl = new Proxy({}, { get: (_target, name): never => unknown(`Intl.${String(name)}`) });
