use parlor_guest::prelude::*;

#[parlor_guest::room(name = "sum", path = "/ws")]
fn sum(room: &mut Room) {
    room.on("sum", |_, numbers: Vec<i64>| Ok(numbers.len() + 1));
}

fn main() {}
