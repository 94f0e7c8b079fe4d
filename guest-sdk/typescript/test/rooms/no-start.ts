import { defineRoom } from "@parlor/guest";

const room = defineRoom();
for (let number = 0; number < 257; number += 1) room.on(`event ${number}`, () => undefined);
