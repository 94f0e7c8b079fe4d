/** Packages that games are made of. */

import { Chess } from "chess.js";
import { vec3 } from "gl-matrix";
import { createNoise2D } from "simplex-noise";

export const games: Record<string, () => unknown> = {
  "chess.js": () => {
    const game = new Chess();
    game.move("e4");
    return [game.fen(), game.moves().length];
  },
  // Loaded here, its randomness has a seed of the room's own.
  "rot-js": async () => {
    const ROT = await import("rot-js");
    ROT.RNG.setSeed(7);
    const free: number[] = [];
    new ROT.Map.Arena(4, 4).create((_x, _y, wall) => free.push(wall));
    return [free.length, ROT.RNG.getUniformInt(1, 6) > 0];
  },
  "gl-matrix": () => Math.round(vec3.length(vec3.fromValues(3, 4, 0))),
  "simplex-noise": () => {
    const noise = createNoise2D(() => 0.5);
    return noise(1, 2) === noise(1, 2);
  },
  // It asks for the time while it is loaded, which a handler may.
  "matter-js": async () => {
    const { default: Matter } = await import("matter-js");
    const engine = Matter.Engine.create();
    const ball = Matter.Bodies.circle(0, 0, 5);
    Matter.Composite.add(engine.world, ball);
    Matter.Engine.update(engine, 16);
    return ball.position.y > 0;
  },
};
