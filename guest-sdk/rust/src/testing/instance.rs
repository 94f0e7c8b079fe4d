//! The plugin's side of a test room: the SDK's own code, compiled for the machine that runs the test.

use std::rc::Rc;

use crate::{
    Room, Setup,
    context::Runtime,
    host::types::{Definition, Event, Failure, Meta, Payload, Rejection, Request},
    runtime,
};

use super::world::{Instance, MakeInstance};

/// An instance of a plugin whose room's function is this.
struct NativeInstance {
    runtime: Rc<Runtime>,
    setup: Rc<dyn Fn(&mut Room) -> crate::Result>,
}

/// What makes the instances of the plugin whose room's function is this.
pub(super) fn plugin<S: Setup>(setup: impl Fn(&mut Room) -> S + 'static) -> Rc<MakeInstance> {
    let setup: Rc<dyn Fn(&mut Room) -> crate::Result> = Rc::new(move |room| setup(room).into_result());
    Rc::new(move || Rc::new(NativeInstance { runtime: Rc::default(), setup: Rc::clone(&setup) }))
}

impl Instance for NativeInstance {
    fn init(&self) -> Result<Option<Definition>, String> {
        let definition = runtime::init(&self.runtime, |room| (self.setup)(room))?;
        // A function without the attribute has a name and a path only because the contract asks for them.
        Ok(self.runtime.definition.get().map(|_| definition))
    }

    fn authorize(&self, request: Request) -> Result<Option<Meta>, Rejection> {
        runtime::authorize(&self.runtime, request)
    }

    fn handle(&self, event: Event) -> Result<Option<Payload>, Failure> {
        runtime::handle(&self.runtime, event)
    }
}
