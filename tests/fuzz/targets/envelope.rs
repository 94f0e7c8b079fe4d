//! What guests emit: `Json::parse` takes exactly what is one JSON value of bounded depth, and whatever it took becomes one
//! well-formed frame.
//!
//! An input is the event's name in the first line, the channel in the second, and the data in the rest.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parlor::model::json::{BadJson, DEPTH_MAX, Json};
use parlor_fuzz::frames::{assert_well_formed, depth, is_json, members};
use serde_json::Value;
use serde_json::value::RawValue;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut parts = text.splitn(3, '\n');
    let (Some(event), Some(channel), Some(data)) = (parts.next(), parts.next(), parts.next()) else { return };
    match Json::parse(data.to_owned()) {
        Ok(json) => {
            assert!(is_json(data) && depth(data) <= DEPTH_MAX, "taken: {data}");
            assert_eq!(json.is_object(), members(data).is_some(), "{data}");
            assert_well_formed(channel, event, &json);
        }
        Err(BadJson::TooDeep) => {
            assert!(!is_json(data) || depth(data) > DEPTH_MAX, "not deep: {data}");
            return;
        }
        Err(BadJson::Syntax(why)) => {
            assert!(!is_json(data), "{why}: {data}");
            return;
        }
    }
    // The two other ways to the same type.
    if let Ok(value) = serde_json::from_str::<Value>(data) {
        assert_well_formed(channel, event, &Json::of(&value));
    }
    if let Ok(raw) = serde_json::from_str::<&RawValue>(data) {
        assert_well_formed(channel, event, &Json::of_raw(raw));
    }
});
