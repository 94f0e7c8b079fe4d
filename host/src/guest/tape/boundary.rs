//! Where each call of a guest to the host passes by the tape. The functions of the contract stand here once more, by their
//! signatures: one that is missing does not compile.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wasmtime::component::HasData;

use super::Tape;
use super::data::TapedAnswer;
use super::json;
use super::replayer::REDACTED;
use super::write::TapeWrite;
use crate::guest::bindings::parlor::room::types::{Host as TypesHost, Meta, Payload, Refusal as WitRefusal};
use crate::guest::bindings::parlor::room::{
    alarm, clock, config, events, history, inbox, logging, outbox, random, room, sockets, storage, timers,
};
use crate::guest::call_error::{CallError, CallResult};
use crate::guest::convert::{refusal_of_tape, refusal_to_guest};
use crate::guest::state::GuestState;
use crate::model::event::SocketId;

/// An instance's data, as its guest's calls reach it.
pub struct Taped<'a>(pub &'a mut GuestState);

/// Lends [`Taped`] to the linker.
pub struct TapedCalls;

impl HasData for TapedCalls {
    type Data<'a> = Taped<'a>;
}

/// What an import returns to wasmtime: a value, a refusal where it has one, or the end of the guest.
trait Answered: Sized {
    type Value: TapeWrite + Serialize + DeserializeOwned;

    fn taped(&self) -> TapedAnswer<&Self::Value>;
    fn value(value: Self::Value) -> Self;
    fn refused(refusal: WitRefusal) -> Self;
    fn stopped(why: wasmtime::Error) -> Self;
}

impl<T: TapeWrite + Serialize + DeserializeOwned> Answered for CallResult<T> {
    type Value = T;

    fn taped(&self) -> TapedAnswer<&T> {
        match self {
            Ok(value) => TapedAnswer::Value(value),
            Err(CallError::Refused(refusal)) => TapedAnswer::Refused(refusal_to_guest(refusal.clone())),
            Err(CallError::Trap(_)) => TapedAnswer::Stopped,
        }
    }

    fn value(value: T) -> Self {
        Ok(value)
    }

    fn refused(refusal: WitRefusal) -> Self {
        Err(CallError::Refused(refusal_of_tape(refusal)))
    }

    fn stopped(why: wasmtime::Error) -> Self {
        Err(CallError::Trap(why))
    }
}

impl<T: TapeWrite + Serialize + DeserializeOwned> Answered for wasmtime::Result<T> {
    type Value = T;

    fn taped(&self) -> TapedAnswer<&T> {
        self.as_ref().map_or(TapedAnswer::Stopped, TapedAnswer::Value)
    }

    fn value(value: T) -> Self {
        Ok(value)
    }

    fn refused(_: WitRefusal) -> Self {
        Err(wasmtime::Error::msg("the tape has a refusal where the contract has none"))
    }

    fn stopped(why: wasmtime::Error) -> Self {
        Err(why)
    }
}

impl GuestState {
    /// Comes before the host computes an answer: notes the call, or answers it from the tape.
    fn before<A: TapeWrite, R: Answered>(&mut self, name: &'static str, args: &A) -> Option<R> {
        let answer = match &mut self.tape {
            Tape::Off => return None,
            Tape::Record(recorder) => {
                recorder.called(name, args);
                let given = recorder.given(name, args)?;
                let answer: TapedAnswer<R::Value> = postcard::from_bytes(&given).ok()?;
                recorder.answered(&answer);
                Ok(answer)
            }
            Tape::Replay(replayer) => replayer.answer(name, args),
        };
        Some(match answer {
            Ok(TapedAnswer::Value(value)) => R::value(value),
            Ok(TapedAnswer::Refused(refusal)) => R::refused(refusal),
            Ok(TapedAnswer::Stopped) => {
                self.calls_exhausted = true;
                R::stopped(wasmtime::Error::msg("the host stopped the guest here"))
            }
            Err(why) => R::stopped(wasmtime::Error::msg(why)),
        })
    }

    /// Notes the answer.
    fn after<R: Answered>(&mut self, answer: &R) {
        if let Tape::Record(recorder) = &mut self.tape {
            recorder.answered(&answer.taped());
        }
    }
}

/// The words that say that a configured value is a secret.
const SECRETIVE: [&str; 9] = ["secret", "token", "password", "passwd", "key", "credential", "private", "auth", "dsn"];

/// Whether a configured value looks like a secret, by its key or by itself.
pub fn is_secret(key: &str, value: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRETIVE.iter().any(|word| key.contains(word))
        || value.contains("-----BEGIN")
        || value
            .split_once("://")
            .is_some_and(|(_, rest)| rest.split('/').next().is_some_and(|host| host.contains('@')))
}

impl config::Host for Taped<'_> {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        let told: Option<wasmtime::Result<Option<String>>> = self.0.before("config.get", &(&key,));
        if let Some(answer) = told {
            let is_redacted = matches!(&answer, Ok(Some(value)) if value == REDACTED);
            let given = self.0.context.config.get(&key).filter(|_| is_redacted).cloned();
            return given.map_or(answer, |value| Ok(Some(value)));
        }
        let answer = config::Host::get(&mut *self.0, key.clone());
        match &answer {
            Ok(Some(value)) if is_secret(&key, value) => {
                self.0.after::<wasmtime::Result<_>>(&Ok(Some(REDACTED.to_owned())));
            }
            answer => self.0.after(answer),
        }
        answer
    }
}

impl TypesHost for Taped<'_> {
    fn convert_refusal(&mut self, error: CallError) -> wasmtime::Result<WitRefusal> {
        TypesHost::convert_refusal(&mut *self.0, error)
    }
}

/// Has every function of these interfaces pass by the tape, and makes a function that shows a recorded call.
macro_rules! boundary {
    (
        [$($module:ident { $(fn $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)* })*]
        async $later:ident { $(fn $later_name:ident($($later_arg:ident: $later_type:ty),*) -> $later_answer:ty;)* }
    ) => {
        $(impl $module::Host for Taped<'_> {
            $(fn $name(&mut self, $($arg: $type),*) -> $answer {
                const NAME: &str = concat!(stringify!($module), ".", stringify!($name));
                if let Some(answer) = self.0.before(NAME, &($(&$arg,)*)) {
                    return answer;
                }
                let answer = $module::Host::$name(&mut *self.0, $($arg),*);
                self.0.after(&answer);
                answer
            })*
        })*

        impl $later::Host for Taped<'_> {
            $(async fn $later_name(&mut self, $($later_arg: $later_type),*) -> $later_answer {
                const NAME: &str = concat!(stringify!($later), ".", stringify!($later_name));
                if let Some(answer) = self.0.before(NAME, &($(&$later_arg,)*)) {
                    return answer;
                }
                let answer = $later::Host::$later_name(&mut *self.0, $($later_arg),*).await;
                self.0.after(&answer);
                answer
            })*
        }

        /// The arguments of a recorded call as JSON; none for a call that this version does not know.
        pub fn shown_args(name: &str, args: &[u8]) -> Option<Value> {
            $($(if name == concat!(stringify!($module), ".", stringify!($name)) {
                return json::args::<($($type,)*)>(args);
            })*)*
            $(if name == concat!(stringify!($later), ".", stringify!($later_name)) {
                return json::args::<($($later_type,)*)>(args);
            })*
            if name == "config.get" { json::args::<(String,)>(args) } else { None }
        }

        /// The answer of a recorded call as JSON; none for a call that this version does not know.
        pub fn shown_answer(name: &str, answer: &[u8]) -> Option<Value> {
            $($(if name == concat!(stringify!($module), ".", stringify!($name)) {
                return json::answer::<<$answer as Answered>::Value>(name, answer);
            })*)*
            $(if name == concat!(stringify!($later), ".", stringify!($later_name)) {
                return json::answer::<<$later_answer as Answered>::Value>(name, answer);
            })*
            if name == "config.get" { json::answer::<Option<String>>(name, answer) } else { None }
        }
    };
}

boundary! {
    [alarm {
        fn set(at: f64) -> CallResult<()>;
        fn get() -> CallResult<Option<f64>>;
        fn cancel() -> CallResult<()>;
    }
    clock {
        fn now() -> wasmtime::Result<f64>;
    }
    events {
        fn on(event: String) -> CallResult<()>;
        fn off(event: String) -> CallResult<()>;
    }
    history {
        fn keep(channel: String, entries: u32, ttl_ms: u32, durable: bool) -> CallResult<()>;
        fn read(channel: String, after: Option<String>, limit: u32) -> CallResult<history::Page>;
        fn position(channel: String) -> CallResult<String>;
    }
    inbox {
        fn arguments() -> wasmtime::Result<u32>;
        fn attachments() -> wasmtime::Result<Vec<Vec<u8>>>;
    }
    logging {
        fn write(level: logging::Level, message: String) -> wasmtime::Result<()>;
    }
    outbox {
        fn to_socket(socket: SocketId, event: String, data: Payload) -> CallResult<u32>;
        fn to_named(target: String, event: String, data: Payload) -> CallResult<u32>;
        fn to_channel(channel: String, event: String, data: Payload) -> CallResult<u32>;
        fn to_channel_except(channel: String, excluded: Vec<String>, event: String, data: Payload) -> CallResult<u32>;
        fn to_channel_some(channel: String, users: Option<Vec<String>>, clients: Option<Vec<String>>, excluded: Vec<String>, event: String, data: Payload) -> CallResult<u32>;
        fn to_room(room: String, channel: Option<String>, users: Option<Vec<String>>, clients: Option<Vec<String>>, event: String, data: Payload) -> CallResult<()>;
        fn to_user(user_id: String, event: String, data: Payload) -> CallResult<u32>;
        fn to_clients(client_ids: Vec<String>, event: String, data: Payload) -> CallResult<u32>;
        fn attach(bytes: Vec<u8>) -> CallResult<u32>;
        fn spread() -> CallResult<()>;
        fn ask(socket: SocketId, event: String, data: Payload, name: String, timeout_ms: u32) -> CallResult<()>;
    }
    random {
        fn get_bytes(count: u32) -> CallResult<Vec<u8>>;
    }
    room {
        fn id() -> CallResult<String>;
        fn session_count() -> CallResult<u32>;
        fn user_ids() -> CallResult<Vec<String>>;
    }
    sockets {
        fn get_meta(socket: SocketId) -> CallResult<Meta>;
        fn of_channel(channel: String, after: Option<SocketId>, limit: u32) -> CallResult<Vec<SocketId>>;
        fn present(user_id: Option<String>) -> CallResult<Vec<SocketId>>;
        fn set_fields(socket: SocketId, fields: String) -> CallResult<()>;
        fn join(socket: SocketId, channel: String) -> CallResult<()>;
        fn leave(socket: SocketId, channel: String) -> CallResult<()>;
        fn close(socket: SocketId, code: u16, reason: String) -> CallResult<()>;
    }
    timers {
        fn set(name: String, delay_ms: u32, data: Option<Payload>) -> CallResult<()>;
        fn cancel(name: String) -> CallResult<bool>;
    }]
    async storage {
        fn get(key: String) -> CallResult<Option<Vec<u8>>>;
        fn get_many(keys: Vec<String>) -> CallResult<Vec<Option<Vec<u8>>>>;
        fn put(key: String, value: Vec<u8>) -> CallResult<()>;
        fn put_many(entries: Vec<storage::Entry>) -> CallResult<()>;
        fn delete(key: String) -> CallResult<bool>;
        fn delete_many(keys: Vec<String>) -> CallResult<u32>;
        fn scan(prefix: String, after: Option<String>, limit: u32) -> CallResult<storage::Page>;
    }
}
