//! Where operations run: the turn, and what they may look at.

use std::{cell::RefCell, rc::Rc};

use parlor_guest::{Actor, Bytes, Room, prelude::*};

use crate::{memory::Memory, ops};

/// What a client sent: the SDK reads bytes only into a type of its own.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Data {
    Bytes(Bytes),
    Json(Value),
}

impl From<Data> for Value {
    /// Bytes stand in a value as they are written, which the SDK knows again when it is emitted.
    fn from(data: Data) -> Self {
        match data {
            Data::Bytes(bytes) => json!(bytes),
            Data::Json(value) => value,
        }
    }
}

/// One handler's run.
pub struct Scene<'a> {
    pub actor: &'a Actor,
    ctx: Option<&'a Ctx>,
    pub memory: &'a Rc<Memory>,
    /// The data of the event, as the handler has it.
    pub data: Value,
    /// What came with the hook.
    pub hook: Value,
    /// What the handler answers, once an operation said so.
    pub answer: RefCell<Option<Value>>,
}

impl<'a> Scene<'a> {
    /// A handler of a socket.
    pub fn of(ctx: &'a Ctx, memory: &'a Rc<Memory>) -> Self {
        Self::new(ctx.actor(), Some(ctx), memory)
    }

    /// A handler without one.
    pub fn of_room(actor: &'a Actor, memory: &'a Rc<Memory>) -> Self {
        Self::new(actor, None, memory)
    }

    fn new(actor: &'a Actor, ctx: Option<&'a Ctx>, memory: &'a Rc<Memory>) -> Self {
        memory.next.set(0);
        Self { actor, ctx, memory, data: Value::Null, hook: Value::Null, answer: RefCell::default() }
    }

    pub fn with_data(self, data: Value) -> Self {
        Self { data, ..self }
    }

    pub fn with_hook(self, hook: Value) -> Self {
        Self { hook, ..self }
    }

    pub fn ctx(&self) -> Result<&'a Ctx> {
        self.ctx.ok_or_else(|| bad("this turn has no socket"))
    }

    pub fn room(&self) -> &'a Room {
        self.actor.room()
    }

    /// Runs a list of operations; the list of their results.
    pub fn run(&self, ops: &Value) -> Result<Vec<Value>> {
        let ops = ops.as_array().ok_or_else(|| bad(format!("operations are a list, not {ops}")))?;
        ops.iter().map(|op| self.op(op)).collect()
    }

    /// Runs one operation.
    pub fn op(&self, op: &Value) -> Result<Value> {
        let parts = op.as_array().map(Vec::as_slice).unwrap_or_default();
        let [Value::String(name), arguments @ ..] = parts else {
            return Err(bad(format!("an operation is a list that begins with its name, not {op}")));
        };
        ops::run(name, &Args { scene: self, arguments })
    }

    /// A value, with the results of the operations in it.
    pub fn value(&self, value: &Value) -> Result<Value> {
        match value {
            Value::Object(members) if members.len() == 1 && members.contains_key("$") => self.op(&members["$"]),
            Value::Object(members) => {
                let evaluated = members.iter().map(|(name, value)| Ok((name.clone(), self.value(value)?)));
                Ok(Value::Object(evaluated.collect::<Result<_>>()?))
            }
            Value::Array(values) => values.iter().map(|value| self.value(value)).collect(),
            other => Ok(other.clone()),
        }
    }
}

/// The frame of this event, as the client sent it.
pub fn frame(ctx: &Ctx) -> Result<Value> {
    let mut frame = json!({ "type": ctx.event().name() });
    if let Some(channel) = ctx.event().channel() {
        frame["channel"] = json!(channel);
    }
    if let Some(text) = ctx.event().text() {
        frame["data"] = serde_json::from_str(text)?;
    }
    Ok(frame)
}

/// A case that asks for something that is not in the README.
pub fn bad(why: impl Into<String>) -> Error {
    Error::new("bad-case", why)
}

/// What an operation is given.
pub struct Args<'a> {
    pub scene: &'a Scene<'a>,
    arguments: &'a [Value],
}

impl Args<'_> {
    pub fn is_given(&self, at: usize) -> bool {
        at < self.arguments.len()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.arguments.len()
    }

    /// An argument as it stands; `null` where there is none.
    pub fn raw(&self, at: usize) -> &Value {
        self.arguments.get(at).unwrap_or(&Value::Null)
    }

    pub fn value(&self, at: usize) -> Result<Value> {
        self.scene.value(self.raw(at))
    }

    /// An argument in a type.
    pub fn read<T: serde::de::DeserializeOwned>(&self, at: usize) -> Result<T> {
        serde_json::from_value(self.value(at)?).map_err(|why| bad(format!("argument {}: {why}", at + 1)))
    }

    pub fn text(&self, at: usize) -> Result<String> {
        self.read(at)
    }
}
