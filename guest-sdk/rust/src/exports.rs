//! The component's three exports, for the one instance that a component's memory is.

use std::{cell::OnceCell, rc::Rc};

use crate::{
    Room,
    bindings::exports::parlor::room::guest::Guest,
    context::Runtime,
    host::types::{Definition, Event, Failure, Meta, Payload, Rejection, Request},
    runtime::{self, Plugin},
};

thread_local! {
    static INSTANCE: OnceCell<Rc<Runtime>> = const { OnceCell::new() };
}

fn instance() -> Rc<Runtime> {
    INSTANCE.with(|instance| Rc::clone(instance.get_or_init(Rc::default)))
}

impl<P: Plugin> Guest for P {
    fn init() -> Result<Definition, String> {
        runtime::init(&instance(), |room: &mut Room| P::setup(room))
    }

    fn authorize(request: Request) -> Result<Option<Meta>, Rejection> {
        runtime::authorize(&instance(), request)
    }

    fn handle(event: Event) -> Result<Option<Payload>, Failure> {
        runtime::handle(&instance(), event)
    }
}
