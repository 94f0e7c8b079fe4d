/** What an error says of itself. It may be the author's or a dependency's in every part: a getter of it may throw. */

/** A text that an error has under this name; what stands in its place where it has none, or cannot be read. */
export function said(error: Error, name: "name" | "message", none = "undefined"): string {
  try {
    return String(error[name] ?? none);
  } catch {
    return name === "name" ? "Error" : "(its message cannot be read)";
  }
}

/** What caused an error; nothing where it cannot be read. */
export function causeOf(error: Error): unknown {
  try {
    return error.cause;
  } catch {
    return undefined;
  }
}

/** The errors that an AggregateError stands for. */
export function partsOf(error: Error): unknown[] {
  try {
    const { errors } = error as AggregateError;
    return Array.isArray(errors) ? errors : [];
  } catch {
    return [];
  }
}
