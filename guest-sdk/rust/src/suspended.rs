//! State that one instance of a plugin leaves for the next: how it is written, and which handler gets it.

use std::{borrow::Cow, cell::RefCell, collections::BTreeMap, rc::Rc};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{Error, Event, Handler, Result, host::types::Payload, outcome::Handled};

/// The error code of a state whose schema no handler takes.
const SCHEMA: &str = "resume.schema";
/// The error code of a state that its schema's handler cannot read.
const SHAPE: &str = "resume.shape";

/// The form in which a state passes through the host.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tagged<'a, T> {
    #[serde(borrow)]
    pub(crate) schema: Cow<'a, str>,
    pub(crate) state: T,
}

/// A state that no [`Room::on_resume`](crate::Room::on_resume) took. The closure of
/// [`Room::on_resume_any`](crate::Room::on_resume_any) gets it.
///
/// ```
/// use parlor_guest::{Suspended, prelude::*};
///
/// fn game(room: &mut Room) {
///     room.on_resume_any(|actor, found: Suspended| {
///         actor.log().warn(format_args!("left behind: {} {}", found.schema, found.state));
///     });
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Suspended {
    /// The schema that [`Room::on_suspend`](crate::Room::on_suspend) gave it; empty where the state has none, since
    /// something else wrote it.
    pub schema: String,
    /// The state: JSON text, as it was written.
    pub state: Box<RawValue>,
}

impl Suspended {
    /// The state as a type of yours. Fails with `resume.shape` where it does not fit.
    ///
    /// ```
    /// use parlor_guest::{prelude::*, testing::TestRoom};
    ///
    /// let room = TestRoom::new(|room| room.on_suspend("board/1", |_, _| Ok([3, 4])));
    /// room.sleep();
    /// let state = room.suspended().expect("a state");
    /// assert_eq!(state.read::<Vec<u32>>()?, [3, 4]);
    /// assert_eq!(state.read::<String>().unwrap_err().code(), "resume.shape");
    /// # Ok::<(), parlor_guest::Error>(())
    /// ```
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(self.state.get()).map_err(|why| misfit(&self.schema, &why))
    }

    /// What came with `$resume`, or what `$suspend` answered.
    pub(crate) fn of(payload: Option<&Payload>) -> Result<Self> {
        let text = match payload {
            Some(Payload::Json(text)) => text.as_str(),
            Some(Payload::Binary(_)) => return Err(Error::new(SCHEMA, "the state is bytes, and this reads JSON")),
            None => "null",
        };
        Ok(match serde_json::from_str::<Tagged<'_, Box<RawValue>>>(text) {
            Ok(Tagged { schema, state }) => Suspended { schema: schema.into_owned(), state },
            Err(_) => Suspended { schema: String::new(), state: RawValue::from_string(text.to_owned())? },
        })
    }
}

/// A handler of states. It returns whether it could read the state, and if so the handler's result.
pub(crate) type Take<C> = Rc<RefCell<dyn FnMut(&C, &Suspended) -> Result<Handled>>>;

/// The handlers of states: one for each schema, and one for all other states.
pub(crate) struct States<C> {
    pub(crate) by_schema: BTreeMap<Box<str>, Take<C>>,
    pub(crate) any: Option<Take<C>>,
    /// The handlers of the two hooks that stand for all of this.
    pub(crate) suspend: Option<Handler>,
    pub(crate) resume: Option<Handler>,
}

impl<C> Default for States<C> {
    fn default() -> Self {
        States { by_schema: BTreeMap::new(), any: None, suspend: None, resume: None }
    }
}

/// Passes a state to the handler of its schema, or to the one for all others.
pub(crate) fn give<C>(states: &RefCell<States<C>>, event: &Event, ctx: &C) -> Handled {
    let found = Suspended::of(event.payload())?;
    // Not borrowed while they run: they may register further ones.
    let (own, any) = {
        let states = states.borrow();
        (states.by_schema.get(&*found.schema).cloned(), states.any.clone())
    };
    let refused = match own {
        Some(take) => match (take.borrow_mut())(ctx, &found) {
            Ok(handled) => return handled,
            Err(misfit) => misfit,
        },
        None => unknown(&states.borrow(), &found.schema),
    };
    match any {
        Some(take) => (take.borrow_mut())(ctx, &found)?,
        None => Err(refused),
    }
}

fn unknown<C>(states: &States<C>, schema: &str) -> Error {
    let taken: Vec<&str> = states.by_schema.keys().map(|schema| &**schema).collect();
    Error::new(SCHEMA, format!("no on_resume takes a state of the schema {schema:?}, only {}", taken.join(", ")))
}

fn misfit(schema: &str, why: &serde_json::Error) -> Error {
    Error::new(SHAPE, format!("the state of the schema {schema:?} does not fit: {why}"))
}
