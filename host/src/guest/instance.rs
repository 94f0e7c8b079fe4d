//! A live instance of a plugin's code: one store, with one caller at a time.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::poll_fn;
use wasmtime::component::InstancePre;
use wasmtime::{Store, WasmBacktrace};

use super::bindings::exports::parlor::room::guest;
use super::bindings::parlor::room::types as wit;
use super::bindings::{Plugin as GuestExports, PluginPre};
use super::context::RoomContext;
use super::convert::{event_to_guest, failure_from_guest, meta_from_guest, payload_from_guest};
use super::cpu::CpuMeter;
use super::engine::SharedEngine;
use super::metering::meter;
use super::state::{GuestState, Phase, Registrations};
use crate::model::body::Body;
use crate::model::event::{Event, Failure};
use crate::model::meta::Meta;
use crate::model::text::printable;
use crate::model::turn::{Calls, Enclosed, Turn};
use crate::storage::view::StorageView;
use crate::tenant::account::CounterPlace;

/// A fault of the guest that ends its instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It trapped: a panic, an out-of-bounds access, a stack overflow, an exit.
    Trap(String),
    /// It used more CPU time than its budget.
    Deadline,
    /// It took longer than `call-wall-ms`, waits included.
    Timeout,
    /// It trapped after the host had refused it memory.
    Memory,
    /// It went on calling the host past a limit.
    HostCalls,
}

impl Fault {
    /// The code in logs, metrics and `$error`, which never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Trap(_) => "trap",
            Self::Deadline => "deadline",
            Self::Timeout => "timeout",
            Self::Memory => "memory",
            Self::HostCalls => "host-call-quota",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trap(why) => write!(f, "trapped: {why}"),
            Self::Deadline => f.write_str("used more CPU time than a call may"),
            Self::Timeout => f.write_str("took longer than call-wall-ms"),
            Self::Memory => f.write_str("was refused memory beyond memory-bytes"),
            Self::HostCalls => f.write_str("made more host calls than host-calls-per-turn"),
        }
    }
}

impl std::error::Error for Fault {}

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

/// Why the host could not make an instance.
#[derive(Debug)]
pub enum OpenError {
    /// The pool is full or the host is out of memory. The guest is not to blame.
    NoPlace(String),
    /// The tenant's instances hold all the memory that they may.
    TenantFull,
    /// The tenant has all the awake rooms that it may have.
    TooManyAwake,
    /// `init` returned an error.
    Refused(String),
    Faulted(Fault),
}

impl OpenError {
    /// Whether the plugin's code is to blame. Where `init` took long, that may be the doing of others.
    pub fn is_of_code(&self) -> bool {
        match self {
            Self::Refused(_) => true,
            Self::Faulted(fault) => !matches!(fault, Fault::Timeout),
            Self::NoPlace(_) | Self::TenantFull | Self::TooManyAwake => false,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPlace(why) => write!(f, "no place for an instance: {why}"),
            Self::TenantFull => f.write_str("no memory for another instance of this tenant: memory-tenant-bytes"),
            Self::TooManyAwake => f.write_str("too many rooms of this tenant are awake: awake-rooms-per-tenant"),
            Self::Refused(why) => write!(f, "init refused: {why}"),
            Self::Faulted(fault) => write!(f, "init {fault}"),
        }
    }
}

impl std::error::Error for OpenError {}

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
    ) -> Result<(Self, Definition), OpenError> {
        let limits = Arc::clone(&context.limits);
        let state = GuestState::new(context, storage, Arc::clone(&template.engine.ticker));
        let mut store = Store::new(template.pre.engine(), state);
        store.limiter(|state| &mut state.memory);
        // The most that the host copies for one call: twice the largest argument.
        let largest = limits.emit_bytes_per_turn.max(limits.storage_value_bytes).max(limits.storage_bytes_per_call);
        store.set_hostcall_fuel(2 * largest);
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
            failed => returned(store.data(), failed).map_err(OpenError::Faulted)?,
        };
        let place = InstancePlace(Arc::clone(template.engine()));
        let mut instance = Self { store, exports, wall, cpu: Arc::clone(&cpu), _awake: None, _place: place };
        instance.store.data_mut().phase = Phase::Init;
        cpu.enter();
        let called = within(wall, &cpu, instance.exports.parlor_room_guest().call_init(&mut instance.store)).await;
        instance.end_call();
        match returned(instance.store.data(), called).map_err(OpenError::Faulted)? {
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
    pub async fn run(mut self: Box<Self>, event: Event, turn: Box<Turn>) -> (Box<Self>, Box<Turn>, Outcome) {
        let (turn, outcome) = self.handle(event, turn).await;
        (self, turn, outcome)
    }

    /// Has the guest handle one event. Returns the turn in any case, with what the guest asked for.
    pub async fn handle(&mut self, mut event: Event, mut turn: Box<Turn>) -> (Box<Turn>, Outcome) {
        let cpu_ms = turn.limits().turn_cpu_ms;
        turn.receive(event.data.arguments, std::mem::take(&mut event.data.attachments));
        let event = event_to_guest(event);
        let state = self.store.data_mut();
        state.phase = Phase::Turn;
        std::mem::swap(&mut state.turn, &mut turn);
        begin_call(&mut self.store, cpu_ms);
        self.cpu.enter();
        let called =
            within(self.wall, &self.cpu, self.exports.parlor_room_guest().call_handle(&mut self.store, &event)).await;
        self.end_call();
        std::mem::swap(&mut self.store.data_mut().turn, &mut turn);
        let outcome = match returned(self.store.data(), called) {
            Ok(handled) => Outcome::of(handled, turn.take_enclosed()),
            Err(fault) => Outcome::Faulted(fault),
        };
        (turn, outcome)
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
        Ok(match returned(self.store.data(), called)? {
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

fn begin_call(store: &mut Store<GuestState>, cpu_ms: u64) {
    // `cpu::meter` says what happens at each tick.
    store.set_epoch_deadline(1);
    let state = store.data_mut();
    state.cpu.begin(cpu_ms);
    state.calls = Calls::default();
    state.memory.begin();
    state.log.begin();
}

/// A call took longer than `call-wall-ms`.
struct TimedOut;

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

/// What a call returned, or the fault that ended it.
fn returned<T>(state: &GuestState, called: Result<wasmtime::Result<T>, TimedOut>) -> Result<T, Fault> {
    match called {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(why)) => Err(fault_of(state, &why)),
        Err(TimedOut) => Err(Fault::Timeout),
    }
}

/// Names the fault behind an error of wasmtime.
fn fault_of(state: &GuestState, why: &wasmtime::Error) -> Fault {
    if state.cpu.exceeded() {
        tracing::debug!(target: "guest", plugin = %state.context.plugin, "stopped in {}", functions_of(why));
        return Fault::Deadline;
    }
    if state.calls_exhausted {
        return Fault::HostCalls;
    }
    if state.memory.refused() {
        return Fault::Memory;
    }
    tracing::debug!(target: "guest", plugin = %state.context.plugin, "{why:?}");
    Fault::Trap(why.root_cause().to_string())
}

/// The names of the functions that a guest was in, the innermost first.
fn functions_of(why: &wasmtime::Error) -> String {
    const SHOWN: usize = 12;
    let frames = why.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames).unwrap_or_default();
    let mut names: Vec<&str> = frames.iter().map(|frame| frame.func_name().unwrap_or("?")).collect();
    names.dedup();
    names.truncate(SHOWN);
    printable(&names.join(" < "))
}
