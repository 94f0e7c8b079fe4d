//! JSON in and out, as the contract carries it.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result, bytes::Whole, host::types::Payload, reject};

/// The code of data that a handler's type does not take.
pub(crate) const BAD_DATA: &str = "bad-data";

/// One value as text, in which bytes stay.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<Payload> {
    Ok(Payload::Json(serde_json::to_string(value)?))
}

/// The data of an event as a handler's type. Data that does not fit is the client's mistake, and it is told.
pub(crate) fn read<T: DeserializeOwned>(payload: Option<&Payload>) -> Result<T> {
    match payload {
        Some(Payload::Json(text)) => serde_json::from_str(text).map_err(|error| bad_data(&error)),
        Some(Payload::Binary(bytes)) => {
            T::deserialize(Whole(bytes)).map_err(|_| reject(BAD_DATA, "these are bytes, and the handler reads JSON"))
        }
        None => read_absent(),
    }
}

/// No data at all reads as `null` where the type takes that (`Value`, `Option`, `()`), else as `{}` (structs, maps).
fn read_absent<T: DeserializeOwned>() -> Result<T> {
    serde_json::from_str("null").or_else(|from_null| {
        serde_json::from_str("{}").map_err(|from_empty| {
            // A struct names the field that it misses; of anything else, null's own error is the clearer one.
            if from_empty.to_string().starts_with("missing field") {
                bad_data(&from_empty)
            } else {
                bad_data(&from_null)
            }
        })
    })
}

fn bad_data(error: &serde_json::Error) -> Error {
    reject(BAD_DATA, error.to_string())
}
