/** A class of a name that another file has as well. */

export class Player {
  static other(): { name: string } {
    return class Other {};
  }
}
