//! Takes coupons whose word nobody guesses and fails at one of what real clients sent; and does what its configuration says, so
//! that a life with another configuration is another life.

use parlor_guest::prelude::*;

#[derive(Deserialize)]
struct Redeem {
    coupon: String,
    times: i64,
}

/// The only coupon.
const COUPON: &str = "spring-4711-qx";
/// What is shared among those who redeem it.
const POT: i64 = 100;

#[parlor_guest::room(name = "coupons", path = "/coupons")]
fn coupons(room: &mut Room) {
    test_guests::sync(room);
    room.on("redeem", |ctx, redeem: Redeem| {
        if redeem.coupon != COUPON {
            return Err(reject("coupon.unknown", "nobody knows this one"));
        }
        // The fault: a client that wants none.
        ctx.emit("redeemed", POT / redeem.times)
    });
    room.on("keep", |ctx, _: Value| {
        let key = ctx.config("shop-token").unwrap_or_default();
        ctx.storage().put(&key, true)?;
        ctx.emit("kept", json!({}))
    });
}
