//! One instance of a plugin, and the three calls that the host makes into it.

use std::rc::Rc;

use crate::{
    Actor, Ctx, Error, Event, Meta, Request, Room, Setup, bytes, context::Runtime, hooks::hook, host::types,
    message::Message, metas::Following, outcome::Handled, registry,
};

/// A plugin's function, as the generated exports call it.
#[doc(hidden)]
pub trait Plugin {
    /// Runs the room's function.
    fn setup(room: &mut Room) -> crate::Result;
}

/// Runs a room's function and tells the host what it registered.
pub(crate) fn init(
    runtime: &Rc<Runtime>,
    setup: impl FnOnce(&mut Room) -> crate::Result,
) -> Result<types::Definition, String> {
    let mut room = Room::of(runtime);
    setup(&mut room).map_err(|error| error.to_string())?;
    if let Some(error) = runtime.take_noted() {
        return Err(error.to_string());
    }
    let started = runtime.registry.borrow_mut().start();
    started.map_err(|(event, refusal)| format!("cannot register `{event}`: {}", Error::from(refusal)))?;
    let (name, path) = runtime.definition.get().unwrap_or(("room", "/ws"));
    Ok(types::Definition { name: name.to_owned(), path: path.to_owned() })
}

/// Asks the plugin who wants to connect.
pub(crate) fn authorize(runtime: &Runtime, request: types::Request) -> Result<Option<types::Meta>, types::Rejection> {
    match registry::authorize(&runtime.registry, &Request::from_contract(request)) {
        Ok(meta) => Ok(meta.map(Meta::into_contract)),
        Err(rejection) => Err(rejection.into_contract()),
    }
}

/// Runs a turn: handles one event.
pub(crate) fn handle(runtime: &Rc<Runtime>, event: types::Event) -> Result<Option<types::Payload>, types::Failure> {
    if event.socket.is_none() && !hook::is_socketless(&event.cause) {
        return Err(Error::new("no-socket", format!("the event {} came without a socket", event.name)).into_failure());
    }
    bytes::begin_turn();
    let ctx = Ctx::new(Actor::new(Room::of(runtime), Event::new(event)));
    let follower = runtime.metas.follower();
    let handled = match &follower {
        Some(follower) => followed(runtime, &**follower, &ctx),
        None => registry::dispatch(&runtime.registry, ctx.event(), &ctx),
    };
    if matches!(ctx.event().cause(), hook::DISCONNECT | hook::USER_LEAVE) {
        runtime.metas.changed(ctx.id());
    }
    runtime.metas.end_turn();
    let noted = runtime.take_noted();
    let ended = match (handled, noted) {
        (Err(error), _) | (Ok(_), Some(error)) => Err(error.into_failure()),
        (Ok(answer), None) => answer.map(Message::enclose).transpose().map_err(Error::into_failure),
    };
    if let Some(follower) = follower {
        follower.end(ended.is_err());
    }
    ended
}

/// Runs the handlers, and tells of what they changed.
fn followed(runtime: &Runtime, follower: &dyn Following, ctx: &Ctx) -> Handled {
    let event = ctx.event();
    follower.begin(&runtime.metas, event)?;
    let answer = registry::dispatch(&runtime.registry, event, ctx)?;
    // A state that is left behind is no moment to say anything.
    if event.cause() != hook::SUSPEND {
        follower.tell(&runtime.metas)?;
    }
    Ok(answer)
}

/// Runs a room's function, whatever its return type.
#[doc(hidden)]
pub fn setup<S: Setup>(outcome: S) -> crate::Result {
    outcome.into_result()
}
