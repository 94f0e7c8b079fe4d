//! A live instance of a plugin's code: one store, with one caller at a time.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::poll_fn;
use wasmtime::Store;
use wasmtime::component::InstancePre;

use super::bindings::exports::parlor::room::guest;
use super::bindings::parlor::room::types as wit;
use super::bindings::{Plugin as GuestExports, PluginPre};
use super::context::RoomContext;
use super::convert::{event_to_guest, failure_from_guest, meta_from_guest, payload_from_guest};
use super::cpu::CpuMeter;
use super::engine::SharedEngine;
pub use super::fault::{Fault, OpenError};
use super::metering::meter;
use super::returned::{TimedOut, returned};
use super::state::{GuestState, Phase, Registrations};
use super::tape::Tape;
use super::tape::data::{TapedEffects, TapedEnd, TapedOutcome};
use super::tape::recorder::Recorder;
use super::tape::replayer::Replayer;
use crate::model::body::Body;
use crate::model::event::{Event, Failure};
use crate::model::meta::Meta;
use crate::model::text::printable;
use crate::model::turn::{Calls, Enclosed, Turn};
use crate::storage::view::StorageView;
use crate::tenant::account::CounterPlace;

/// How the call of a turn ended.
#[derive(Debug)]
pub enum Outcome {
    /// The turn may commit. The body is the answer to the sender.
    Done(Option<Body>),
    /// The handler returned a failure. The instance lives on.
    Failed(Failure),
    /// The instance is lost.
    Faulted(Fault),
}

impl Outcome {
    /// `enclosed` is what the guest gave for its answer.
    fn of(handled: Result<Option<wit::Payload>, guest::Failure>, enclosed: Enclosed) -> Self {
        let answer = match handled {
            Ok(answer) => answer.map(|answer| enclosed.around(payload_from_guest(answer)?)).transpose(),
            Err(failure) => return Self::Failed(failure_from_guest(failure)),
        };
        match answer {
            Ok(answer) => Self::Done(answer),
            Err(why) => Self::Failed(Failure {
                code: "bad-answer".to_owned(),
                message: format!("the handler's answer: {why}"),
                for_sender: false,
            }),
        }
    }
}

/// What a plugin's `init` returned.
#[derive(Debug, Clone)]
pub struct Definition {
    pub name: String,
    pub path: String,
}

/// The HTTP request of a connection, as `authorize` gets it.
#[derive(Debug, Clone)]
pub struct ConnectRequest {
    pub uri: String,
    pub room: String,
    pub headers: Vec<(String, String)>,
    pub remote: String,
}

/// What `authorize` answered.
#[derive(Debug, Clone)]
pub enum Authorization {
    /// The client may connect, with this meta.
    As(Meta),
    /// The client may connect, and the host makes its meta.
    Anonymous,
    Rejected(Rejection),
}

/// The response with which a guest's `authorize` refuses a connection.
#[derive(Debug, Clone)]
pub struct Rejection {
    pub status: u16,
    pub message: String,
}

/// What `handle` returned.
type Handled = Result<Option<wit::Payload>, guest::Failure>;

/// How an `init` that returned is recorded.
fn outcome_of_init(init: &Result<guest::Definition, String>) -> TapedOutcome {
    match init {
        Ok(guest::Definition { name, path }) => TapedOutcome::Ready { name: name.clone(), path: path.clone() },
        Err(why) => TapedOutcome::Unready(why.clone()),
    }
}

/// How a turn's call is recorded.
fn outcome_of_turn(handled: &Result<Handled, Fault>) -> TapedOutcome {
    match handled {
        Ok(Ok(answer)) => TapedOutcome::Answered(answer.clone()),
        Ok(Err(failure)) => TapedOutcome::Failed(failure.clone()),
        Err(fault) => TapedOutcome::Faulted { code: fault.code().to_owned(), words: fault.to_string() },
    }
}

/// A compiled and linked component, of which instances are made.
#[derive(Clone)]
pub struct Template {
    pre: PluginPre<GuestState>,
    engine: SharedEngine,
}

impl Template {
    /// Fails if the component does not export the contract.
    pub fn new(pre: InstancePre<GuestState>, engine: &SharedEngine) -> wasmtime::Result<Self> {
        Ok(Self { pre: PluginPre::new(pre)?, engine: Arc::clone(engine) })
    }

    pub fn engine(&self) -> &SharedEngine {
        &self.engine
    }
}

/// A place among the host's instances. Dropping it wakes one who waits for a place.
struct InstancePlace(SharedEngine);

impl Drop for InstancePlace {
    fn drop(&mut self) {
        self.0.freed.notify_one();
    }
}

/// What the host copies for one call in any case, in bytes. Nothing interrupts the copying, so more would hold up other rooms: a list of
/// texts of one letter each takes an allocation for every 25 bytes of it.
const COPIED_LEAST: usize = 4 << 20;

/// A live instance. After a fault it must be dropped: wasmtime does not enter its store again.
pub struct Instance {
    store: Store<GuestState>,
    exports: GuestExports,
    wall: Duration,
    cpu: Arc<CpuMeter>,
    /// Its place among the tenant's awake rooms, if it belongs to a room.
    _awake: Option<CounterPlace>,
    /// The last field, so that it is dropped last: whoever it wakes finds the memory and the other place free.
    _place: InstancePlace,
}

impl Instance {
    /// Makes an instance and calls its `init`.
    pub async fn open(
        template: &Template,
        context: Arc<RoomContext>,
        storage: Option<Arc<StorageView>>,
        mut tape: Tape,
    ) -> Result<(Self, Definition), OpenError> {
        let limits = Arc::clone(&context.limits);
        if let Tape::Record(recorder) = &mut tape {
            recorder.begin_init();
        }
        let state = GuestState::new(context, storage, Arc::clone(&template.engine.ticker), tape);
        let mut store = Store::new(template.pre.engine(), state);
        store.limiter(|state| &mut state.memory);
        // The most that the host copies for one call: twice the largest argument, and so much that a call with too much in it is
        // refused by the bound that it passes, which the guest hears of, and not by the end of its instance.
        let largest = limits.emit_bytes_per_turn.max(limits.storage_value_bytes).max(limits.storage_bytes_per_call);
        store.set_hostcall_fuel(COPIED_LEAST.max(2 * largest));
        store.set_max_component_handles(limits.component_handles);
        meter(&mut store);

        let cpu = Arc::clone(&store.data().cpu);
        begin_call(&mut store, limits.init_cpu_ms);
        let wall = Duration::from_millis(limits.call_wall_ms);
        let made = within(wall, &cpu, template.pre.instantiate_async(&mut store)).await;
        let exports = match made {
            Ok(Ok(exports)) => exports,
            Ok(Err(why)) if why.is::<wasmtime::PoolConcurrencyLimitError>() => {
                return Err(OpenError::NoPlace(why.to_string()));
            }
            _ if store.data().memory.tenant_is_full() => return Err(OpenError::TenantFull),
            failed => returned(store.data_mut(), failed).map_err(OpenError::Faulted)?,
        };
        let place = InstancePlace(Arc::clone(template.engine()));
        let mut instance = Self { store, exports, wall, cpu: Arc::clone(&cpu), _awake: None, _place: place };
        instance.store.data_mut().phase = Phase::Init;
        cpu.enter();
        let called = within(wall, &cpu, instance.exports.parlor_room_guest().call_init(&mut instance.store)).await;
        instance.end_call();
        let init = returned(instance.store.data_mut(), called).map_err(OpenError::Faulted)?;
        instance.note_end(|| outcome_of_init(&init), None);
        match init {
            Ok(definition) => Ok((instance, Definition { name: definition.name, path: definition.path })),
            Err(why) => Err(OpenError::Refused(printable(&why[..why.floor_char_boundary(1_024)]))),
        }
    }

    /// Has the instance keep a place among awake rooms while it lives.
    pub fn holding(mut self, awake: Option<CounterPlace>) -> Self {
        self._awake = awake;
        self
    }

    /// The bytes of its memories and tables.
    pub fn memory_bytes(&self) -> usize {
        self.store.data().memory.bytes()
    }

    /// The events that it is registered for now.
    pub fn registrations(&self) -> &Registrations {
        &self.store.data().registrations
    }

    /// Handles one event like [`Instance::handle`], and returns the instance as well, for callers that move it to
    /// another thread.
    pub fn run(
        mut self: Box<Self>,
        event: Event,
        mut turn: Box<Turn>,
    ) -> impl Future<Output = (Box<Self>, Box<Turn>, Outcome)> + Send + use<> {
        // Before the call begins, which would otherwise have space for the event in both forms.
        let event = received(event, &mut turn);
        async move {
            let (turn, outcome) = self.handle_received(&event, turn).await;
            (self, turn, outcome)
        }
    }

    /// Has the guest handle one event. Returns the turn in any case, with what the guest asked for.
    pub async fn handle(&mut self, event: Event, mut turn: Box<Turn>) -> (Box<Turn>, Outcome) {
        let event = received(event, &mut turn);
        self.handle_received(&event, turn).await
    }

    async fn handle_received(&mut self, event: &wit::Event, mut turn: Box<Turn>) -> (Box<Turn>, Outcome) {
        let cpu_ms = turn.limits().turn_cpu_ms;
        let state = self.store.data_mut();
        if let Tape::Record(recorder) = &mut state.tape {
            recorder.begin_turn(event, turn.arguments(), turn.attachments());
        }
        std::mem::swap(&mut state.turn, &mut turn);
        let handled = self.give(event, cpu_ms).await;
        std::mem::swap(&mut self.store.data_mut().turn, &mut turn);
        self.note_end(|| outcome_of_turn(&handled), Some(&turn));
        let outcome = match handled {
            Ok(handled) => Outcome::of(handled, turn.take_enclosed()),
            Err(fault) => Outcome::Faulted(fault),
        };
        (turn, outcome)
    }

    /// Has the guest of a replay handle an event again, on the answers that its tape holds.
    pub async fn handle_again(&mut self, event: &wit::Event, cpu_ms: u64) -> TapedOutcome {
        outcome_of_turn(&self.give(event, cpu_ms).await)
    }

    /// Calls the guest with an event.
    async fn give(&mut self, event: &wit::Event, cpu_ms: u64) -> Result<Handled, Fault> {
        self.store.data_mut().phase = Phase::Turn;
        begin_call(&mut self.store, cpu_ms);
        self.cpu.enter();
        let called =
            within(self.wall, &self.cpu, self.exports.parlor_room_guest().call_handle(&mut self.store, event)).await;
        self.end_call();
        returned(self.store.data_mut(), called)
    }

    /// Notes how a call ended, where it is recorded.
    fn note_end(&mut self, outcome: impl FnOnce() -> TapedOutcome, turn: Option<&Turn>) {
        let (cpu_ns, memory_bytes) = (self.cpu.executed_ns(), self.memory_bytes());
        if let Tape::Record(recorder) = &mut self.store.data_mut().tape {
            let (outcome, effects) = (outcome(), turn.map_or_else(TapedEffects::default, TapedEffects::of));
            recorder.ended(TapedEnd { outcome, clocks: Vec::new(), random: Vec::new(), cpu_ns, effects }, memory_bytes);
        }
    }

    /// What records it, if it is recorded.
    pub fn recorder(&mut self) -> Option<&mut Recorder> {
        match &mut self.store.data_mut().tape {
            Tape::Record(recorder) => Some(recorder),
            Tape::Off | Tape::Replay(_) => None,
        }
    }

    /// Ends the recording, if it is recorded.
    pub fn take_recorder(&mut self) -> Option<Box<Recorder>> {
        match std::mem::take(&mut self.store.data_mut().tape) {
            Tape::Record(recorder) => Some(recorder),
            Tape::Off | Tape::Replay(_) => None,
        }
    }

    /// What answers it, if it is a replay.
    pub fn replayer(&mut self) -> Option<&mut Replayer> {
        match &mut self.store.data_mut().tape {
            Tape::Replay(replayer) => Some(replayer),
            Tape::Off | Tape::Record(_) => None,
        }
    }

    /// Asks the guest who wants to connect.
    pub async fn authorize(&mut self, request: ConnectRequest, cpu_ms: u64) -> Result<Authorization, Fault> {
        let ConnectRequest { uri, room, headers, remote } = request;
        let request = guest::Request { uri, room, headers, remote };
        begin_call(&mut self.store, cpu_ms);
        self.cpu.enter();
        let called =
            within(self.wall, &self.cpu, self.exports.parlor_room_guest().call_authorize(&mut self.store, &request))
                .await;
        self.end_call();
        Ok(match returned(self.store.data_mut(), called)? {
            Ok(Some(meta)) => Authorization::As(meta_from_guest(meta)),
            Ok(None) => Authorization::Anonymous,
            Err(guest::Rejection { status, message }) => Authorization::Rejected(Rejection { status, message }),
        })
    }

    /// What its last call executed.
    pub fn executed_ns(&self) -> u64 {
        self.cpu.executed_ns()
    }

    fn end_call(&mut self) {
        self.cpu.end_first_slice();
        let state = self.store.data_mut();
        state.tell_length();
        state.reserved = None;
        state.wasi.end_call();
        state.log.end();
        state.phase = Phase::Outside;
    }
}

/// The event as the guest gets it. What comes with it beside its payload goes to the turn.
fn received(mut event: Event, turn: &mut Turn) -> wit::Event {
    turn.receive(event.data.arguments, std::mem::take(&mut event.data.attachments));
    event_to_guest(event)
}

fn begin_call(store: &mut Store<GuestState>, cpu_ms: u64) {
    // `cpu::meter` says what happens at each tick.
    store.set_epoch_deadline(1);
    let state = store.data_mut();
    state.cpu.begin(cpu_ms);
    state.calls = Calls::default();
    state.memory.begin();
    state.log.begin();
}

/// Runs a call within a wall time, and meters the time in which it executes, not in which it waits. Most calls end at
/// their first poll, and need neither a timer nor the meter.
async fn within<T>(wall: Duration, cpu: &CpuMeter, call: impl Future<Output = T>) -> Result<T, TimedOut> {
    let mut call = pin!(call);
    if let Poll::Ready(done) = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await {
        return Ok(done);
    }
    cpu.end_first_slice();
    let metered = poll_fn(|context| {
        cpu.start_slice();
        let polled = call.as_mut().poll(context);
        cpu.end_slice();
        polled
    });
    tokio::time::timeout(wall, metered).await.map_err(|_| TimedOut)
}
