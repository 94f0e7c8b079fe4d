//! Tickets: a room is one show, whose seats are free, held for a short while, or sold; never to two.
//!
//! Why nothing can be sold twice: a turn is alone in its room, what is known of a seat is in the storage and nowhere
//! else, and nobody hears of a change before it is durable. A crash at any moment leaves a turn done or not done.

mod hall;

use std::collections::BTreeMap;

use hall::{Hall, Seat};
use parlor_guest::{config, prelude::*};

/// How long before its end the holder of a seat is reminded.
const REMIND_BEFORE_MS: u64 = 20_000;
/// How many seats one user may hold at a time: nobody empties a hall by holding it.
const HOLDS_PER_USER: usize = 4;
/// A user's name stands in the list of all seats, which has to fit into an emit of 64 KiB.
const USER_BYTES: usize = 64;
/// The timer of the next reminder.
const CLOSING: &str = "closing";

/// What the operator configured.
#[derive(Clone, Copy)]
struct Show {
    hold_ms: u64,
    rows: u64,
    seats_per_row: u64,
}

impl Show {
    /// The hall's bounds keep the list of all seats within one emit.
    fn from_config() -> Result<Self> {
        Ok(Show {
            hold_ms: 1_000 * number("hold-seconds", 120, 5, 3_600)?,
            rows: number("rows", 5, 1, 12)?,
            seats_per_row: number("seats-per-row", 8, 1, 16)?,
        })
    }
}

#[derive(Deserialize)]
struct Which {
    seat: String,
}

#[parlor_guest::room(name = "tickets", path = "/ws/tickets")]
pub fn tickets(room: &mut Room) -> Result {
    let show = Show::from_config()?;
    room.authorize(authorize);

    room.on_connect(move |ctx| {
        let (user, hold_seconds) = (&ctx.meta().user_id, show.hold_ms / 1_000);
        ctx.emit("welcome", json!({ "userId": user, "holdSeconds": hold_seconds }))?;
        Hall::load(ctx, show)?.list(ctx)
    });
    room.on("seats.list", move |ctx, _: Value| Hall::load(ctx, show)?.list(ctx));
    room.on("seat.hold", move |ctx, which: Which| hold(ctx, show, &which.seat));
    room.on("seat.release", move |ctx, which: Which| release(ctx, show, &which.seat));
    room.on("seat.buy", move |ctx, which: Which| buy(ctx, show, &which.seat));

    // The durable part: a hold ends, whatever happened meanwhile. Where it runs twice, what is free by then stays free.
    room.on_alarm(move |actor, _| {
        let mut hall = Hall::load(actor, show)?;
        hall.end_holds(actor)?;
        schedule(actor, &hall)
    });

    // The part that may be forgotten: if the server restarts just then, nobody is reminded.
    room.on_timer(CLOSING, move |actor, moment: u64| {
        let hall = Hall::load(actor, show)?;
        for (seat, user, until) in hall.holds().filter(|(_, _, until)| *until == moment + REMIND_BEFORE_MS) {
            actor.to_user(user).emit("seat.closing", json!({ "seat": seat, "until": until, "now": actor.now() }))?;
        }
        remind(actor, &hall, moment)
    });

    // Timers do not survive a restart of the server: what they are for stands in the storage.
    room.on_restore(move |actor, _| schedule(actor, &Hall::load(actor, show)?));

    // For `parlor simulate` alone: what holds between any two turns, whatever happened.
    let mut sold = BTreeMap::new();
    room.on_check(move |actor| check(actor, &Hall::load(actor, show)?, &mut sold));
    Ok(())
}

/// Whoever has a seat keeps it, nobody holds too many, and the alarm is that of the hold that ends first. `sold` is what the last
/// check saw.
fn check(actor: &Actor, hall: &Hall, sold: &mut BTreeMap<String, String>) -> Result {
    let now: BTreeMap<String, String> = hall.sold().collect();
    if let Some((seat, _)) = sold.iter().find(|(seat, confirmation)| now.get(*seat) != Some(confirmation)) {
        return Err(Error::new("check.lost", format!("{seat} was sold, and its buyer has it no more")));
    }
    *sold = now;
    let mut users = hall.holds().map(|(_, user, _)| user);
    if let Some(user) = users.find(|user| hall.held_by(user) > HOLDS_PER_USER) {
        return Err(Error::new("check.holds", format!("{user} holds more than {HOLDS_PER_USER} seats")));
    }
    let (first, rings) = (hall.holds().map(|(_, _, until)| until).min(), actor.alarm().get()?);
    if first != rings {
        return Err(Error::new(
            "check.alarm",
            format!("the first hold ends at {first:?}, and the alarm is at {rings:?}"),
        ));
    }
    Ok(())
}

fn hold(ctx: &Ctx, show: Show, name: &str) -> Result {
    let mut hall = Hall::load(ctx, show)?;
    let user = &ctx.meta().user_id;
    match hall.seat(name)? {
        // Whoever asks again, because the answer got lost, is not given more time.
        Some(seat @ Seat::Held { user: holder, .. }) if holder == user => {
            ctx.emit("seat.changed", hall::described(name, Some(seat), ctx.now()))?;
            return Ok(());
        }
        Some(_) => return Err(reject("seat.taken", format!("{name} is taken: somebody was faster"))),
        None => {}
    }
    if hall.held_by(user) >= HOLDS_PER_USER {
        return Err(reject("too-many-holds", format!("you hold {HOLDS_PER_USER} seats: buy one, or let one go")));
    }
    hall.set(ctx, name, Some(Seat::Held { user: user.clone(), until: ctx.now() + show.hold_ms }))?;
    schedule(ctx, &hall)
}

fn release(ctx: &Ctx, show: Show, name: &str) -> Result {
    let mut hall = Hall::load(ctx, show)?;
    require_held_by(&ctx.meta().user_id, name, hall.seat(name)?)?;
    hall.set(ctx, name, None)?;
    schedule(ctx, &hall)
}

fn buy(ctx: &Ctx, show: Show, name: &str) -> Result {
    let mut hall = Hall::load(ctx, show)?;
    let user = &ctx.meta().user_id;
    let seat = hall.seat(name)?;
    // Whoever asks again, because the answer got lost, is told again and not sold again.
    if let Some(Seat::Sold { user: owner, confirmation }) = seat
        && owner == user
    {
        ctx.emit("seat.bought", json!({ "seat": name, "confirmation": confirmation }))?;
        return Ok(());
    }
    require_held_by(user, name, seat)?;
    let confirmation = ctx.random_id();
    // All of this is one turn: the confirmation leaves when the sale is durable, or there is neither.
    ctx.actor().to_user(user).emit("seat.bought", json!({ "seat": name, "confirmation": confirmation }))?;
    hall.set(ctx, name, Some(Seat::Sold { user: user.clone(), confirmation }))?;
    schedule(ctx, &hall)
}

fn require_held_by(user: &str, name: &str, seat: Option<&Seat>) -> Result {
    match seat {
        Some(Seat::Held { user: holder, .. }) if holder == user => Ok(()),
        Some(Seat::Sold { user: owner, .. }) if owner == user => {
            Err(reject("seat.sold", format!("you have bought {name}")))
        }
        Some(_) => Err(reject("seat.taken", format!("{name} is somebody else's"))),
        None => Err(reject("seat.not-yours", format!("you do not hold {name}, or not any more"))),
    }
}

/// Sets the one alarm for the hold that ends first, and the one timer for the reminder that is next. Each turn that
/// changes a hold does this, so that neither can be out of step with what is stored.
fn schedule(actor: &Actor, hall: &Hall) -> Result {
    match hall.holds().map(|(_, _, until)| until).min() {
        Some(until) => actor.alarm().set_at(until)?,
        None => actor.alarm().cancel()?,
    }
    remind(actor, hall, actor.now())
}

/// Sets the timer for the first reminder after a moment.
fn remind(actor: &Actor, hall: &Hall, after: u64) -> Result {
    let moments = hall.holds().map(|(_, _, until)| until.saturating_sub(REMIND_BEFORE_MS));
    match moments.filter(|moment| *moment > after).min() {
        Some(moment) => {
            let delay = Duration::from_millis(moment.saturating_sub(actor.now()));
            actor.timers().set(CLOSING, delay, moment)
        }
        None => actor.timers().cancel(CLOSING).map(drop),
    }
}

/// Whoever says a user id is believed; whoever does not gets one.
fn authorize(request: &Request) -> Result<Meta, Rejection> {
    match request.query("userId") {
        Some(id) if (1..=USER_BYTES).contains(&id.len()) && !id.contains(char::is_control) => Ok(Meta::new(id)),
        Some(_) => {
            Err(Rejection::new(400, format!("userId has 1 to {USER_BYTES} bytes, none of them a control character")))
        }
        None => Ok(Meta::anonymous()),
    }
}

/// A number of the configuration, or what stands for it where the operator gave none. One that is out of its bounds
/// refuses the plugin.
fn number(key: &str, default: u64, least: u64, most: u64) -> Result<u64> {
    let Some(text) = config(key) else { return Ok(default) };
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| Error::msg(format!("`{key}` must be {least} to {most}, not {text:?}")))
}
