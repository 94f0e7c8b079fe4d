/** What stands in JSON for bytes that travel beside it. */

/** The placeholder of an attachment. */
export function placeholder(num: number): object {
  return { _placeholder: true, num };
}

/**
 * Data with these values in the place of the placeholders that name them by their number, each once. A placeholder that names
 * none of them stays what it is: whoever wrote it attached nothing to it. The data is changed.
 */
export function filled(data: unknown, values: readonly unknown[]): unknown {
  return fill(data, [...values]);
}

/** `left` has the values that no placeholder named yet, at their numbers. */
function fill(data: any, left: unknown[]): unknown {
  if (typeof data !== "object" || data === null) return data;
  const names = Object.keys(data);
  if (data._placeholder === true && names.length === 2 && Number.isInteger(data.num) && data.num in left) {
    const value = left[data.num];
    delete left[data.num];
    return value;
  }
  for (const name of names) {
    const value = fill(data[name], left);
    // Unlike an assignment this also takes a member of the name `__proto__`.
    if (value !== data[name]) Object.defineProperty(data, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return data;
}
