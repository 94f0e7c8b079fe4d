//! Handlers, errors, the log, memory, and what cases are put together with.

use std::rc::Rc;

use parlor_guest::{Error, Result, Value, answer, json, reject};

use crate::{
    memory,
    scene::{Args, Data, Scene, bad, frame},
};

pub fn run(name: &str, args: &Args<'_>) -> Result<Option<Value>> {
    match handlers(name, args)? {
        Some(done) => Ok(Some(done)),
        None => values(name, args),
    }
}

fn handlers(name: &str, args: &Args<'_>) -> Result<Option<Value>> {
    let (scene, memory) = (args.scene, args.scene.memory);
    let done = match name {
        "on" => on(args)?,
        "off" => match memory.handlers.borrow_mut().remove(&args.text(0)?) {
            Some(handler) => json!(scene.room().off(&handler)),
            None => json!(false),
        },
        "off-all" => json!(scene.room().off_all(&args.text(0)?)),
        "answer" => {
            let value = args.value(0)?;
            scene.answer.borrow_mut().get_or_insert(value);
            Value::Null
        }
        "throw" => return Err(Error::msg(args.text(0)?)),
        "fail" => return Err(Error::new(args.text(0)?, args.text(1)?)),
        "reject" => return Err(reject(args.text(0)?, args.text(1)?)),
        "try" => match scene.op(args.raw(0)) {
            Ok(done) => json!({ "ok": done }),
            Err(error) => json!({ "error": error.code() }),
        },
        "repeat" => {
            let mut last = Value::Null;
            for _ in 0..args.read(0)? {
                last = scene.op(args.raw(1))?;
            }
            last
        }
        "log" => log(args)?,
        "remember" => json!(drop(memory.value.replace(args.value(0)?))),
        "life" => memory.life(),
        "errors" => memory.take_errors(),
        "suspend-as" => json!(memory::suspend_as(scene.room(), memory, &args.text(0)?)),
        "on-suspend" => json!(drop(memory.on_suspend.replace(args.raw(0).clone()))),
        _ => return Ok(None),
    };
    Ok(Some(done))
}

fn on(args: &Args<'_>) -> Result<Value> {
    let (memory, ops) = (Rc::clone(args.scene.memory), args.raw(2).clone());
    let handler = args.scene.room().on(&args.text(0)?, move |ctx, data: Data| {
        // What the runner asks for itself is no part of a case.
        if ctx.event().name() == "sync" {
            return Ok(None);
        }
        let scene = Scene::of(ctx, &memory).with_data(data.into());
        scene.run(&ops)?;
        scene.answer.take().map(|value| answer(&value)).transpose()
    });
    args.scene.memory.handlers.borrow_mut().insert(args.text(1)?, handler);
    Ok(Value::Null)
}

fn log(args: &Args<'_>) -> Result<Value> {
    let (log, line) = (args.scene.actor.log(), args.text(1)?);
    match args.text(0)?.as_str() {
        "debug" => log.debug(line),
        "info" => log.info(line),
        "warn" => log.warn(line),
        "error" => log.error(line),
        other => return Err(bad(format!("there is no level {other:?}"))),
    }
    Ok(Value::Null)
}

fn values(name: &str, args: &Args<'_>) -> Result<Option<Value>> {
    let scene = args.scene;
    let done = match name {
        "raw" => args.raw(0).clone(),
        "data" => scene.data.clone(),
        "frame" => frame(scene.ctx()?)?,
        "hook" => scene.hook.clone(),
        "config" => json!(scene.actor.config(&args.text(0)?)),
        "random" => json!(scene.actor.random_id()),
        "text" => json!(args.text(0)?.repeat(args.read(1)?)),
        "concat" => {
            let part = |at| match args.value(at)? {
                Value::String(text) => Ok(text),
                other => Ok(other.to_string()),
            };
            json!((0..args.count()).map(part).collect::<Result<String>>()?)
        }
        "filled" => (0..args.read(0)?).map(|_: u64| args.value(1)).collect::<Result<_>>()?,
        "nested" => (0..args.read(0)?).fold(None, |inner, _: u64| Some(json!(Vec::from_iter(inner)))).into(),
        "size" => match args.value(0)? {
            Value::String(text) => json!(text.chars().count()),
            Value::Array(list) => json!(list.len()),
            other => return Err(bad(format!("{other} has no size"))),
        },
        "equal" => json!(args.value(0)? == args.value(1)?),
        "next" => {
            let next = scene.memory.next.get() + 1;
            scene.memory.next.set(next);
            json!(next)
        }
        _ => return Ok(None),
    };
    Ok(Some(done))
}
