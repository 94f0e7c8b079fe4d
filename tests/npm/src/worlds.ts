/** Packages about what moves, and about documents that several write. */

import { Decoder, Encoder, MapSchema, schema, t } from "@colyseus/schema";
import { addComponent, addEntity, createWorld, query } from "bitecs";
import * as CANNON from "cannon-es";
import { Circle, Vec2, World } from "planck";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { schema as basic } from "prosemirror-schema-basic";
import { Step, Transform } from "prosemirror-transform";
import Delta from "quill-delta";
import { MersenneTwister19937, Random } from "random-js";
import RBush from "rbush";
import { Awareness, encodeAwarenessUpdate } from "y-protocols/awareness";
import { Doc } from "yjs";

const Player = schema({ x: t.number() }, "Player");
const State = schema({ players: t.map(Player) }, "State");

export const worlds: Record<string, () => unknown> = {
  "@colyseus/schema": () => {
    const [state, player] = [new State(), new Player()];
    player.x = 5;
    state.players ??= new MapSchema();
    state.players.set("ada", player);
    const decoder = new Decoder(new State());
    decoder.decode(new Encoder(state).encodeAll());
    return decoder.state.toJSON();
  },
  bitecs: () => {
    const [world, Place] = [createWorld(), { x: [] as number[] }];
    addComponent(world, addEntity(world), Place);
    return [...query(world, [Place])].length;
  },
  "cannon-es": () => {
    const world = new CANNON.World({ gravity: new CANNON.Vec3(0, -10, 0) });
    const ball = new CANNON.Body({ mass: 1, shape: new CANNON.Sphere(1), position: new CANNON.Vec3(0, 10, 0) });
    world.addBody(ball);
    for (let step = 0; step < 10; step += 1) world.fixedStep();
    return ball.position.y < 10;
  },
  planck: () => {
    const world = new World({ gravity: new Vec2(0, -10) });
    const ball = world.createDynamicBody(new Vec2(0, 10));
    ball.createFixture(new Circle(1), 1);
    for (let step = 0; step < 10; step += 1) world.step(1 / 60);
    return ball.getPosition().y < 10;
  },
  "prosemirror-transform": () => {
    const empty = () => basic.node("doc", null, [basic.node("paragraph")]);
    const [step] = new Transform(empty()).insert(1, basic.text("shared")).steps;
    return Step.fromJSON(basic, JSON.parse(JSON.stringify(step))).apply(empty()).doc?.textContent;
  },
  "pure-rand": () => uniformInt(xoroshiro128plus(5), 1, 100),
  "quill-delta": () => new Delta().insert("hello").compose(new Delta().retain(5).insert("!")).ops,
  "random-js": () => [new Random(MersenneTwister19937.seed(5)).integer(1, 100), new Random().integer(1, 1)],
  rbush: () => {
    const tree = new RBush<{ minX: number; minY: number; maxX: number; maxY: number }>();
    tree.insert({ minX: 0, minY: 0, maxX: 1, maxY: 1 });
    return tree.search({ minX: 1, minY: 1, maxX: 5, maxY: 5 }).length;
  },
  "y-protocols": () => {
    const awareness = new Awareness(new Doc());
    awareness.setLocalState({ name: "ada" });
    return encodeAwarenessUpdate(awareness, [awareness.clientID]).length > 10;
  },
};
