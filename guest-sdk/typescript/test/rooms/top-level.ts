import { defineRoom } from "@parlor/guest";

defineRoom({ name: `born at ${Date.now()}` });
