//! What the plugin keeps in memory, and how that goes over to the next instance.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    mem,
    rc::Rc,
};

use parlor_guest::{Handler, prelude::*};

use crate::scene::Scene;

#[derive(Debug)]
pub struct Memory {
    version: u32,
    /// What `remember` set, and what goes over.
    pub value: RefCell<Value>,
    /// The handlers that `on` registered, by their tags.
    pub handlers: RefCell<BTreeMap<String, Handler>>,
    /// What `$error` told.
    errors: RefCell<Vec<Value>>,
    /// What `$suspend` does first.
    pub on_suspend: RefCell<Value>,
    restored: RefCell<Value>,
    resumed: RefCell<Value>,
    /// Where `next` is, within the operations of one event.
    pub next: Cell<u64>,
}

impl Memory {
    pub fn new(version: u32) -> Self {
        Self {
            version,
            value: RefCell::default(),
            handlers: RefCell::default(),
            errors: RefCell::default(),
            on_suspend: RefCell::new(json!([])),
            restored: RefCell::default(),
            resumed: RefCell::default(),
            next: Cell::new(0),
        }
    }

    /// With what the instance began.
    pub fn life(&self) -> Value {
        let (restored, resumed, memory) = (&*self.restored.borrow(), &*self.resumed.borrow(), &*self.value.borrow());
        json!({ "version": self.version, "restored": restored, "resumed": resumed, "memory": memory })
    }

    pub fn take_errors(&self) -> Value {
        mem::take(&mut *self.errors.borrow_mut()).into()
    }

    fn resume(&self, schema: &str, state: &Value) {
        self.resumed.replace(json!({ "schema": schema, "state": state }));
    }
}

/// The hooks of an instance's beginning, its end and its failures.
pub fn handlers(room: &Room, memory: &Rc<Memory>) {
    let known = Rc::clone(memory);
    room.on_error(move |actor, failed| {
        let socket = actor.cause().is_some();
        let error = json!({ "event": failed.event, "code": failed.code, "message": failed.message, "socket": socket });
        known.errors.borrow_mut().push(error);
    });
    let known = Rc::clone(memory);
    room.on_restore(move |_, restore| {
        known.restored.replace(json!(restore.reason));
    });
    suspend_as(room, memory, &format!("state/{}", memory.version));
    for version in 1..=memory.version {
        let known = Rc::clone(memory);
        let schema = format!("state/{version}");
        room.on_resume(&schema.clone(), move |_, state: Value| {
            known.resume(&schema, &state);
            known.value.replace(state);
        });
    }
    if memory.version == 1 {
        let known = Rc::clone(memory);
        room.on_resume_any(move |_, found| {
            known.resume(&found.schema, &found.read()?);
            Ok(())
        });
    }
}

/// Registers `$suspend` under a schema; the last one counts.
pub fn suspend_as(room: &Room, memory: &Rc<Memory>, schema: &str) {
    let known = Rc::clone(memory);
    room.on_suspend(schema, move |actor, suspend| {
        let ops = known.on_suspend.borrow().clone();
        Scene::of_room(actor, &known).with_hook(json!({ "reason": suspend.reason })).run(&ops)?;
        Ok(known.value.borrow().clone())
    });
}
