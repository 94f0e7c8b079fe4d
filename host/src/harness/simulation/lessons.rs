//! What a simulation learns of a plugin: which events it knows, what it took, and the words and values that it uses. So an id
//! that a room hands out comes back to it, and a field that an error names is there the next time.

use std::collections::BTreeMap;

use serde_json::Value;

use super::dice::Dice;

/// How much is remembered: the oldest is forgotten first.
const SAMPLES_MAX: usize = 32;
const WORDS_MAX: usize = 24;
const FIELDS_MAX: usize = 512;
const VALUES_MAX: usize = 12;
const LOOSE_MAX: usize = 256;
/// The longest value that is remembered, as JSON.
const VALUE_BYTES: usize = 512;
/// The longest name of a field.
const NAME_BYTES: usize = 40;

#[derive(Debug, Default, Clone)]
pub struct Lessons {
    /// Payloads that were taken, by event.
    samples: BTreeMap<String, Vec<Value>>,
    /// Words of errors that an event was answered with.
    words: BTreeMap<String, Vec<String>>,
    /// Values by the name of the field that they stood in.
    fields: BTreeMap<String, Vec<Value>>,
    /// Texts and numbers, wherever they stood.
    loose: Vec<Value>,
    /// What members brought along, as `authorize` made it.
    metas: Vec<Value>,
}

/// Adds to a list of so many, without what it has already.
fn note<T: PartialEq>(list: &mut Vec<T>, one: T, max: usize) {
    if list.contains(&one) {
        return;
    }
    if list.len() == max {
        list.remove(0);
    }
    list.push(one);
}

impl Lessons {
    /// An event was taken with this payload.
    pub fn sample(&mut self, event: &str, data: Value) {
        if event.starts_with('$') || !self.samples.contains_key(event) && self.samples.len() >= FIELDS_MAX {
            return;
        }
        self.heard(&data);
        note(self.samples.entry(event.to_owned()).or_default(), data, SAMPLES_MAX);
    }

    /// A member came in with these fields of its meta.
    pub fn meta(&mut self, fields: Value) {
        note(&mut self.metas, fields, SAMPLES_MAX);
    }

    /// An event was answered with this error.
    pub(super) fn error(&mut self, event: &str, message: &str) {
        let words = message.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        let is_name =
            |word: &&str| (1..=NAME_BYTES).contains(&word.len()) && !word.starts_with(|c: char| c.is_numeric());
        let all = self.words.entry(event.to_owned()).or_default();
        words.filter(is_name).for_each(|word| note(all, word.to_owned(), WORDS_MAX));
    }

    /// The room said this.
    pub(super) fn heard(&mut self, value: &Value) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| {
                self.field(name, value);
                self.heard(value);
            }),
            Value::Array(items) => items.iter().for_each(|item| self.heard(item)),
            Value::String(_) | Value::Number(_) if is_short(value) => note(&mut self.loose, value.clone(), LOOSE_MAX),
            _ => {}
        }
    }

    fn field(&mut self, name: &str, value: &Value) {
        let is_known = self.fields.contains_key(name);
        if name.len() <= NAME_BYTES && (is_known || self.fields.len() < FIELDS_MAX) && is_short(value) {
            note(self.fields.entry(name.to_owned()).or_default(), value.clone(), VALUES_MAX);
        }
    }

    /// The events that somebody sent, as far as it is known.
    pub(super) fn events(&self) -> impl Iterator<Item = &str> {
        self.samples.keys().map(String::as_str)
    }

    /// A payload that this event was taken with.
    pub(super) fn sample_of(&self, event: &str, dice: &mut Dice) -> Option<&Value> {
        dice.pick(self.samples.get(event)?)
    }

    /// The words that errors of this event used.
    pub(super) fn words_of(&self, event: &str) -> &[String] {
        self.words.get(event).map_or(&[], Vec::as_slice)
    }

    /// Some field's name.
    pub(super) fn any_field(&self, dice: &mut Dice) -> Option<&str> {
        let place = dice.below(self.fields.len() as u64) as usize;
        self.fields.keys().nth(place).map(String::as_str)
    }

    /// A value that a field had.
    pub(super) fn value_of(&self, field: &str, dice: &mut Dice) -> Option<&Value> {
        dice.pick(self.fields.get(field)?)
    }

    /// A text or a number that the room said.
    pub(super) fn any_value(&self, dice: &mut Dice) -> Option<&Value> {
        dice.pick(&self.loose)
    }

    /// What a member brought along.
    pub(super) fn any_meta(&self, dice: &mut Dice) -> Option<&Value> {
        dice.pick(&self.metas)
    }
}

fn is_short(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= VALUE_BYTES,
        Value::Array(_) | Value::Object(_) => value.to_string().len() <= VALUE_BYTES,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_room_says_comes_back() {
        let mut lessons = Lessons::default();
        lessons.heard(&json!({ "seats": [{ "seat": "A1", "until": 7 }] }));
        lessons.error("seat.hold", "missing field `seat` at line 1");
        let mut dice = Dice::of(7, 0);
        assert_eq!(lessons.value_of("seat", &mut dice), Some(&json!("A1")));
        assert_eq!(lessons.any_value(&mut dice).map(|value| value.is_string() || value.is_number()), Some(true));
        assert!(lessons.words_of("seat.hold").contains(&"seat".to_owned()));
        assert_eq!(lessons.words_of("other"), [] as [&str; 0]);
    }

    #[test]
    fn no_list_grows_without_end() {
        let mut lessons = Lessons::default();
        for number in 0..5_000 {
            lessons.heard(&json!({ format!("field{number}"): number, "same": format!("text {number}") }));
            lessons.sample("event", json!(number));
        }
        assert!(lessons.fields.len() == FIELDS_MAX && lessons.loose.len() == LOOSE_MAX);
        assert!(lessons.fields.values().all(|values| values.len() <= VALUES_MAX));
        assert_eq!(lessons.samples["event"].len(), SAMPLES_MAX);
    }
}
