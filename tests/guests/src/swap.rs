//! What the guests of the swap tests share. They stand for versions of one plugin: what they say names the version, and
//! their count shows what went over from one instance to the next.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use parlor_guest::prelude::*;

/// The memory of an instance.
#[derive(Default)]
pub struct Memory {
    version: &'static str,
    /// How many turns there were; it goes over with `$suspend` and `$resume`.
    seq: Cell<u64>,
    resumed: Cell<bool>,
    restored: RefCell<Option<String>>,
}

/// What goes over, under the schema `counter/1`.
#[derive(Serialize, Deserialize)]
struct Counter {
    seq: u64,
}

#[derive(Deserialize)]
struct Say {
    n: u64,
}

#[derive(Deserialize)]
struct Slow {
    ms: u64,
}

#[derive(Deserialize)]
struct SetTimer {
    name: String,
    ms: u64,
}

impl Memory {
    /// Counts a turn.
    fn next(&self) -> u64 {
        self.seq.set(self.seq.get() + 1);
        self.seq.get()
    }
}

/// All of a version but for its state: `say {n}` to everybody in the room, `state`, `slow {ms}`, `set-timer {name, ms}`,
/// `ask {name, ms}`.
pub fn serve(room: &Room, version: &'static str) -> Rc<Memory> {
    crate::believe(room);
    crate::sync(room);
    let memory = Rc::new(Memory { version, ..Memory::default() });
    let own = Rc::clone(&memory);
    room.on("say", move |ctx, say: Say| {
        ctx.actor().emit("said", json!({ "n": say.n, "version": own.version, "seq": own.next() }))
    });
    let own = Rc::clone(&memory);
    room.on("state", move |ctx, _: Value| {
        let (resumed, restored) = (own.resumed.get(), &*own.restored.borrow());
        let state = json!({ "version": own.version, "seq": own.seq.get(), "resumed": resumed, "restored": restored });
        ctx.emit("state", state)
    });
    let own = Rc::clone(&memory);
    room.on("slow", move |ctx, slow: Slow| {
        spin(Duration::from_millis(slow.ms));
        ctx.actor().emit("slow", json!({ "version": own.version, "seq": own.next() }))
    });
    room.on("set-timer", |ctx, timer: SetTimer| {
        ctx.timers().set(&timer.name, Duration::from_millis(timer.ms), ())?;
        ctx.emit("timer-set", json!({ "name": timer.name }))
    });
    room.on("ask", |ctx, ask: SetTimer| ctx.ask(&ask.name, json!({}), Duration::from_millis(ask.ms)));
    let own = Rc::clone(&memory);
    // The hook of all asks, whatever they are called.
    room.on("$ack", move |ctx, end: Value| {
        let name = ctx.event().name();
        ctx.actor().emit("acked", json!({ "name": name, "end": end, "version": own.version, "seq": own.next() }))
    });
    let own = Rc::clone(&memory);
    // The hook of all timers, whatever they are called.
    room.on("$timer", move |ctx, _: Value| {
        let name = ctx.event().name();
        ctx.actor().emit("timer", json!({ "name": name, "version": own.version, "seq": own.next() }))
    });
    let own = Rc::clone(&memory);
    room.on_restore(move |_, restore| *own.restored.borrow_mut() = Some(restore.reason));
    memory
}

/// Leaves the count for the next instance.
pub fn suspend(room: &Room, memory: &Rc<Memory>) {
    let own = Rc::clone(memory);
    room.on_suspend("counter/1", move |_, _| Ok(Counter { seq: own.seq.get() }));
}

/// Takes the count of the last instance.
pub fn resume(room: &Room, memory: &Rc<Memory>) {
    let own = Rc::clone(memory);
    room.on_resume("counter/1", move |_, counter: Counter| {
        own.seq.set(counter.seq);
        own.resumed.set(true);
    });
}

/// A version with all of it.
pub fn version(room: &Room, version: &'static str) {
    let memory = serve(room, version);
    suspend(room, &memory);
    resume(room, &memory);
}

/// Keeps the thread busy for so long.
fn spin(time: Duration) {
    let begin = std::time::Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}
