//! Payloads that clients might send: right ones, almost right ones, and others.

use serde_json::{Map, Number, Value, json};

use super::dice::Dice;
use super::lessons::Lessons;

/// How many bytes a huge text has: what fits into a frame.
const HUGE: usize = 60 << 10;
/// How deep a nested value is: less than a frame may be.
const DEEP: usize = 100;
/// The most items of a list that is made up.
const ITEMS: u64 = 8;

/// Numbers at which code goes wrong.
const EDGES: [f64; 12] = [
    0.0,
    1.0,
    -1.0,
    0.5,
    255.0,
    256.0,
    2_147_483_648.0,
    4_294_967_295.0,
    9_007_199_254_740_991.0,
    -9_007_199_254_740_991.0,
    1e300,
    -1e-300,
];
const TEXTS: [&str; 10] = ["", " ", "a", "null", "0", "-1", "__proto__", "\u{0}", "\u{1F600}\u{202E}", "#1a2b3c"];

/// The payload of an event; none where it has none.
pub(super) fn payload(event: &str, lessons: &Lessons, dice: &mut Dice) -> Option<Value> {
    Some(match dice.below(100) {
        0..3 => return None,
        3..6 => Value::Null,
        6..11 => scalar(lessons, dice),
        11..13 => list(lessons, dice),
        13 => Value::from("x".repeat(HUGE)),
        14 => (0..DEEP).fold(Value::Null, |inner, _| json!([inner])),
        15..20 => json!({}),
        20..75 => match lessons.sample_of(event, dice) {
            Some(sample) if dice.chance(40) => sample.clone(),
            Some(sample) => mutated(sample.clone(), lessons, dice),
            None => object(event, lessons, dice),
        },
        _ => object(event, lessons, dice),
    })
}

/// An object of the fields that errors named, and of some others.
fn object(event: &str, lessons: &Lessons, dice: &mut Dice) -> Value {
    let mut members = Map::new();
    for word in lessons.words_of(event) {
        if dice.chance(95) {
            members.insert(word.clone(), value(word, lessons, dice));
        }
    }
    let others = if members.is_empty() { 4 } else { 1 };
    for _ in 0..dice.below(others + 1) {
        if let Some(name) = lessons.any_field(dice) {
            members.insert(name.to_owned(), value(name, lessons, dice));
        }
    }
    Value::Object(members)
}

/// A value for a field: most of the time one that a field of this name had.
fn value(field: &str, lessons: &Lessons, dice: &mut Dice) -> Value {
    match lessons.value_of(field, dice) {
        Some(known) if dice.chance(80) => known.clone(),
        _ if dice.chance(15) => list(lessons, dice),
        _ => scalar(lessons, dice),
    }
}

fn scalar(lessons: &Lessons, dice: &mut Dice) -> Value {
    match dice.below(12) {
        0 => Value::Null,
        1 => Value::Bool(dice.chance(50)),
        2..5 => Value::from(dice.below(10)),
        5..7 => Value::from(dice.below(1_000)),
        7 => number(*dice.pick(&EDGES).unwrap_or(&0.0)),
        8 => Value::from(*dice.pick(&TEXTS).unwrap_or(&"")),
        _ => lessons.any_value(dice).cloned().unwrap_or(Value::Null),
    }
}

/// A number as a client writes it: a whole one without a fraction.
fn number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e16 {
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn list(lessons: &Lessons, dice: &mut Dice) -> Value {
    let count = dice.below(ITEMS);
    if dice.chance(60) {
        return (0..count).map(|_| Value::from(dice.below(200))).collect();
    }
    (0..count).map(|_| scalar(lessons, dice)).collect()
}

/// Changes one place of a value.
fn mutated(mut whole: Value, lessons: &Lessons, dice: &mut Dice) -> Value {
    let place = dice.below(count(&whole) as u64) as usize;
    let mut left = place;
    if let Some((name, at)) = at(&mut whole, "", &mut left) {
        change(&name, at, lessons, dice);
    }
    whole
}

/// How many values it has, itself and those within.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Object(members) => members.values().map(count).sum(),
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

/// The value at this place, and the field that it stands in.
fn at<'a>(value: &'a mut Value, name: &str, left: &mut usize) -> Option<(String, &'a mut Value)> {
    if *left == 0 {
        return Some((name.to_owned(), value));
    }
    *left -= 1;
    match value {
        Value::Object(members) => members.iter_mut().find_map(|(name, value)| at(value, name, left)),
        Value::Array(items) => items.iter_mut().find_map(|item| at(item, name, left)),
        _ => None,
    }
}

fn change(name: &str, place: &mut Value, lessons: &Lessons, dice: &mut Dice) {
    *place = match (std::mem::take(place), dice.below(4)) {
        (Value::Object(mut members), 0..3) => {
            let nth = dice.below(members.len() as u64) as usize;
            let removed = members.keys().nth(nth).cloned();
            match removed {
                Some(removed) if dice.chance(60) => drop(members.remove(&removed)),
                _ => {
                    let name = lessons.any_field(dice).unwrap_or("more").to_owned();
                    let more = value(&name, lessons, dice);
                    members.insert(name, more);
                }
            }
            Value::Object(members)
        }
        (Value::Array(mut items), 0..3) => {
            match dice.below(3) {
                0 => drop(items.pop()),
                1 => items.extend(items.clone().into_iter().take(ITEMS as usize)),
                _ => items.push(scalar(lessons, dice)),
            }
            Value::Array(items)
        }
        (Value::Number(old), 0 | 1) => {
            let near = old.as_f64().unwrap_or_default() + [1.0, -1.0][dice.below(2) as usize];
            number(near)
        }
        (Value::String(text), 0) => Value::from(text.repeat(2)),
        _ => value(name, lessons, dice),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_gets_what_its_errors_asked_for_and_each_kind_of_nonsense() {
        let mut lessons = Lessons::default();
        lessons.heard(&json!({ "seat": "A1" }));
        lessons.error("hold", "missing field `seat`");
        lessons.sample("other", json!({ "list": [1, { "deep": "x" }] }));
        let made: Vec<Option<Value>> =
            (0..2_000).map(|step| payload("hold", &lessons, &mut Dice::of(1, step))).collect();
        let has = |is: &dyn Fn(&Option<Value>) -> bool| made.iter().any(is);
        assert!(has(&|data| data.as_ref().is_some_and(|data| data["seat"] == "A1")));
        assert!(has(&Option::is_none) && has(&|data| *data == Some(Value::Null)));
        assert!(has(&|data| data.as_ref().is_some_and(|data| data.as_str().is_some_and(|text| text.len() == HUGE))));
        let mutated = |step| payload("other", &lessons, &mut Dice::of(2, step));
        assert!((0..2_000).filter_map(mutated).any(|data| data["list"].as_array().is_some_and(|list| list.len() > 2)));
    }

    #[test]
    fn each_place_of_a_value_is_found() {
        let mut whole = json!({ "a": [1, { "b": 2 }], "c": null });
        let names: Vec<Option<String>> =
            (0..7).map(|place| at(&mut whole, "", &mut place.clone()).map(|(name, _)| name)).collect();
        assert_eq!(count(&whole), 6);
        assert_eq!(
            names,
            ["", "a", "a", "a", "b", "c"]
                .map(|name| Some(name.to_owned()))
                .into_iter()
                .chain([None])
                .collect::<Vec<_>>()
        );
    }
}
