/** What stands in JSON for bytes that travel beside it. */

/** The placeholder of an attachment. */
export function placeholder(num: number): object {
  return { _placeholder: true, num };
}

/**
 * Data with these values in the place of the placeholders that name them by their number. A placeholder that names none of
 * them stays what it is: whoever wrote it attached nothing to it. The data is changed.
 */
export function filled(data: any, values: readonly unknown[]): unknown {
  if (typeof data !== "object" || data === null) return data;
  const names = Object.keys(data);
  if (data._placeholder === true && names.length === 2 && Number.isInteger(data.num) && data.num in values) {
    return values[data.num];
  }
  for (const name of names) {
    const value = filled(data[name], values);
    // Unlike an assignment this also takes a member of the name `__proto__`.
    if (value !== data[name]) Object.defineProperty(data, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return data;
}
