//! The room's keys and values.

use parlor_guest::{Result, Value, json};

use crate::scene::Args;

pub fn run(name: &str, args: &Args<'_>) -> Result<Option<Value>> {
    let storage = args.scene.actor.storage();
    let done = match name {
        "get" => json!(storage.get::<Value>(&args.text(0)?)?),
        "put" => json!(storage.put(&args.text(0)?, args.value(1)?)?),
        "delete" => json!(storage.delete(&args.text(0)?)?),
        "get-many" => {
            let keys: Vec<String> = args.read(0)?;
            let values = storage.get_many::<Value>(keys.clone())?;
            assert_eq!(values.len(), keys.len(), "one value for each key that was named");
            // Each key once, as a map has them.
            let first = |at: usize| !keys[..at].contains(&keys[at]);
            let found = values.into_iter().enumerate().filter(|(at, _)| first(*at));
            found.filter_map(|(at, value)| Some(json!([keys[at], value?]))).collect()
        }
        "put-many" => json!(storage.put_many(args.read::<Vec<(String, Value)>>(0)?)?),
        "delete-many" => json!(storage.delete_many(args.read::<Vec<String>>(0)?)?),
        "list" => {
            let entries = storage.list(&args.text(0)?);
            entries
                .map(|entry| entry.and_then(|entry| Ok(json!([entry.key, entry.json::<Value>()?]))))
                .collect::<Result<_>>()?
        }
        "page" => {
            let after: Option<String> = args.read(1)?;
            let page = storage.page(&args.text(0)?, after.as_deref(), args.read(2)?)?;
            let keys: Vec<&String> = page.entries.iter().map(|entry| &entry.key).collect();
            json!({ "keys": keys, "next": page.next })
        }
        "put-bytes" => json!(storage.put_bytes(&args.text(0)?, &args.read::<Vec<u8>>(1)?)?),
        "get-bytes" => json!(storage.get_bytes(&args.text(0)?)?),
        _ => return Ok(None),
    };
    Ok(Some(done))
}
