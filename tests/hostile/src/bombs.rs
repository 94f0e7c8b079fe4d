//! Small files that take a compiler long, or that make it take much memory.

use crate::component::bare;
use crate::{Hostile, Plan, When};

pub const LIST: &[Hostile] = &[
    bomb("bomb-functions", "has 100,000 functions", |_| {
        let body = "(i32.rotl (i32.mul (local.get 0) (i32.const 31)) (i32.sub (local.get 0) (i32.const 7)))";
        plugin(&format!("(func (param i32) (result i32) {body})").repeat(100_000))
    }),
    bomb("bomb-function", "has one function of three million instructions", |_| {
        let step = "(local.set 0 (i32.xor (i32.mul (local.get 0) (local.get 1)) (local.get 2)))
            (local.set 1 (i32.add (local.get 0) (i32.load (local.get 2))))
            (local.set 2 (i32.sub (local.get 1) (i32.div_u (local.get 0) (i32.or (local.get 1) (i32.const 1)))))";
        plugin(&format!("(func (param i32 i32 i32) {})", step.repeat(200_000)))
    }),
    bomb("bomb-nested", "has 200,000 blocks within each other", |_| {
        const DEPTH: usize = 200_000;
        plugin(&format!("(func (param i32) {} {})", "block local.get 0 br_if 0 ".repeat(DEPTH), "end ".repeat(DEPTH)))
    }),
    bomb("bomb-table-of-branches", "branches to 3,000 places from each of 1,000", |_| {
        const PLACES: usize = 3_000;
        let targets: String = (0..PLACES).map(|place| format!("{place} ")).collect();
        let jump = format!("block local.get 0 br_if 0 local.get 0 br_table {targets} end ");
        let (open, close) = ("block ".repeat(PLACES + 1), "end ".repeat(PLACES + 1));
        plugin(&format!("(func (param i32) {open} {} {close})", jump.repeat(1_000)))
    }),
    bomb("bomb-locals", "keeps 1,500 values alive through 1,500 loops", |_| {
        const COUNT: usize = 1_500;
        let change: String =
            (0..COUNT).map(|local| format!("local.get {local} i32.const 1 i32.add local.set {local} ")).collect();
        let looping = "loop local.get 0 br_if 0 end ".repeat(COUNT);
        let declared = "i32 ".repeat(COUNT);
        plugin(&format!("(func (local {declared}) {change} loop {looping} {change} local.get 1 br_if 0 end)"))
    }),
    bomb("bomb-types", "has 200,000 types of functions", |_| {
        let kind = |number: u32, digit: u32| ["i32 ", "i64 ", "f32 ", "f64 "][(number >> (2 * digit)) as usize & 3];
        let parameters = |number: u32| (0..9).map(|digit| kind(number, digit)).collect::<String>();
        let types: String =
            (0..200_000).map(|number| format!("(type (func (param {})))", parameters(number))).collect();
        plugin(&types)
    }),
];

const fn bomb(name: &'static str, what: &'static str, make: fn(&Plan) -> Vec<u8>) -> Hostile {
    Hostile::new(name, what, make).when(When::Compile)
}

/// The smallest plugin with this in it.
fn plugin(more: &str) -> Vec<u8> {
    bare(&[("at the end", more)])
}
