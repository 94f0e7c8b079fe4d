import { defineRoom } from "@parlor/guest";

const room = defineRoom({ name: "places", websocketPath: "/ws" });

// A bundle has this line break as it is, and all code without the author's.
const NOTE = "first\nsecond";

class Base {
  none: any = undefined;
}

class Board extends Base {
  #hidden: any = null;
  seats: any[] = [];
  count = 1n as any;

  member() {
    return this.none.length; // here
  }
  index() {
    this.count = 2n;
    return this.seats[7].name; // here
  }
  hidden() {
    return this.#hidden.name; // here
  }
  written() {
    this.seats = [];
    this.none.name = 7; // here
  }
  called() {
    if (this.seats.length === 0) {
      this.none(); // here
    }
  }
  mixed() {
    this.seats = [];
    this.count += 1; // here
  }
  spread() {
    this.seats = [
      1,
      ...this.none, // here
    ];
  }
  looped() {
    for (const seat of this.none) { // here
      this.seats.push(seat);
    }
  }
  taken() {
    const { name } = this.none; // here
    return name;
  }
  paired() {
    this.seats = [];
    const [first] = this.none; // here
    return first;
  }
  inner() {
    const {
      none: { name }, // here
    } = this as any;
    return name;
  }
  within() {
    return "name" in this.none; // here
  }
  above() {
    return (super.toString as any).none.length; // here
  }
  get size() {
    return this.none.size; // here
  }
  getter() {
    return this.size;
  }
  later = () => {
    return this.none.length; // here
  };
}

const board = new Board();
const ways: Record<string, () => unknown> = {
  constant: () => (undefined as any).name, // here
  shown: () => `${NOTE} ${board.none.name}`, // here
  parameter: () => (({ seat: { name } }: any) => name)({}), // here
};
for (const name of Object.getOwnPropertyNames(Board.prototype)) {
  if (name !== "constructor" && name !== "size") ways[name] = () => (board as any)[name]();
}
ways["later"] = () => board.later();

for (const [name, fails] of Object.entries(ways)) {
  room.on(name, () => {
    try {
      fails();
    } catch (why) {
      console.log((why as Error).stack);
    }
  });
}
export default room;
