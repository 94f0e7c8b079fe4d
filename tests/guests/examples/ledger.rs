//! Keeps a ledger whose parts can be checked against each other: what a client was told must be found in it, whatever
//! crashed meanwhile, and nothing may be in it by half.

use parlor_guest::{Entry, prelude::*};

/// How many ids one answer holds.
const IDS_PER_PAGE: u32 = 500;

#[derive(Deserialize)]
struct Add {
    id: String,
    amount: i64,
}

#[derive(Deserialize)]
struct Arm {
    id: String,
    in_ms: u64,
}

#[parlor_guest::room(name = "ledger", path = "/ledger")]
fn ledger(room: &mut Room) {
    test_guests::believe(room);
    test_guests::sync(room);
    room.on("add", |ctx, add: Add| {
        let Add { id, amount } = add;
        let entry = format!("entry/{id}");
        let stored = ctx.storage().get_many::<i64>([entry.as_str(), "total", "count"])?;
        let (mut total, mut count) = (stored[1].unwrap_or(0), stored[2].unwrap_or(0));
        // An id that is there was added before: a client that did not hear of it asks again.
        if stored[0].is_none() {
            (total, count) = (total + amount, count + 1);
            ctx.storage().put_many([(entry.as_str(), amount), ("total", total), ("count", count)])?;
        }
        ctx.actor().emit("added", json!({ "id": id, "total": total, "count": count }))
    });
    room.on("audit", audit);
    // All ids of the entries, in pages: `next` is the next page's `after`.
    room.on("ids", |ctx, after: Option<String>| {
        let page = ctx.storage().page("entry/", after.as_deref(), IDS_PER_PAGE)?;
        let ids: Vec<&str> = page.entries.iter().map(id_of).collect();
        ctx.emit("ids", json!({ "ids": ids, "next": page.next }))
    });
    room.on("alarm", |ctx, arm: Arm| {
        let due = ctx.now() + arm.in_ms;
        ctx.storage().put(&format!("alarm/{}", arm.id), due)?;
        let next = ctx.alarm().get()?.map_or(due, |set| set.min(due));
        ctx.alarm().set_at(next)?;
        ctx.actor().emit("armed", json!({ "id": arm.id, "due": due }))
    });
    room.on("alarms", |ctx, _: Value| {
        let armed: Vec<Entry> = ctx.storage().list("alarm/").collect::<Result<_>>()?;
        let rang: Vec<Entry> = ctx.storage().list("rang/").collect::<Result<_>>()?;
        let ids = |entries: &[Entry]| entries.iter().map(|entry| id_of(entry).to_owned()).collect::<Vec<_>>();
        ctx.emit("alarms", json!({ "armed": ids(&armed), "rang": ids(&rang) }))
    });
    room.on_alarm(|actor, _| ring(actor));
}

/// Sums the entries up; `ids_hash` is FNV-1a, 64 bits, of all ids in the order of their bytes, each with a line feed.
fn audit(ctx: &Ctx, _: Value) -> Result<u32> {
    let (mut sum, mut number, mut hash) = (0, 0, 0xcbf2_9ce4_8422_2325_u64);
    for entry in ctx.storage().list("entry/") {
        let entry = entry?;
        sum += entry.json::<i64>()?;
        number += 1;
        for byte in id_of(&entry).bytes().chain([b'\n']) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    let kept = ctx.storage().get_many::<i64>(["total", "count"])?;
    let (total, count) = (kept[0].unwrap_or(0), kept[1].unwrap_or(0));
    let ids_hash = format!("{hash:016x}");
    ctx.emit("audit", json!({ "total": total, "count": count, "entries": sum, "ids": number, "ids_hash": ids_hash }))
}

/// Lets those ring that are due, each once, and sets the alarm for the next.
fn ring(actor: &Actor) -> Result {
    let mut next: Option<u64> = None;
    for entry in actor.storage().list("alarm/") {
        let entry = entry?;
        let (id, due) = (id_of(&entry), entry.json::<u64>()?);
        let rang = format!("rang/{id}");
        if actor.storage().get::<u64>(&rang)?.is_some() {
            continue;
        }
        if due > actor.now() {
            next = Some(next.map_or(due, |next| next.min(due)));
            continue;
        }
        actor.storage().put(&rang, actor.now())?;
        actor.emit("rang", json!({ "id": id }))?;
    }
    next.map_or(Ok(()), |due| actor.alarm().set_at(due))
}

/// The id in a key such as `entry/7`.
fn id_of(entry: &Entry) -> &str {
    entry.key.split_once('/').map_or("", |(_, id)| id)
}
