//! Works for as long as the client wishes: so many rounds of some nanoseconds each.

use parlor_guest::prelude::*;

#[derive(Deserialize)]
struct Work {
    rounds: u64,
}

#[parlor_guest::room(name = "busy", path = "/busy")]
fn busy(room: &mut Room) {
    test_guests::sync(room);
    room.on("work", |ctx, work: Work| {
        let mut count = 0u64;
        while count < work.rounds {
            count = std::hint::black_box(count + 1);
        }
        ctx.emit("worked", count)
    });
}
