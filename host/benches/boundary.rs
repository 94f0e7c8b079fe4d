//! The boundary alone: what a turn costs between an event that is decoded and effects that are collected, and what a
//! room's instance costs. No sockets, no fan-out.
//!
//! `cargo bench -p parlor` builds the guests of the load program, one a language, and measures them. The one in TypeScript
//! needs Node.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use parlor::guest::engine;
use parlor::guest::instance::{ConnectRequest, Instance, Outcome};
use parlor::guest::tape::data::{TapeBase, TapedVerdict};
use parlor::model::body::{EventData, Payload};
use parlor::model::durability::Durability;
use parlor::model::effect::Batch;
use parlor::model::event::Event;
use parlor::model::json::Json;
use parlor::model::limits::{Layers, Limits};
use parlor::model::meta::Meta;
use parlor::model::names::{PluginKey, PluginName, RoomId, RoomKey, TenantName};
use parlor::model::state::RoomState;
use parlor::model::turn::StorageUse;
use parlor::model::turn::Turn;
use parlor::plugin::loader::Loader;
use parlor::plugin::version::Plugin;
use parlor::storage::Storage as _;
use parlor::storage::memory::MemoryStorage;
use parlor::storage::view::StorageView;
use parlor::tenant::tapes::TapePlace;
use parlor::tenant::{RoomPace, Tenants};
use tokio::runtime::Runtime;

/// A value that a room may store, in bytes.
const SMALL: usize = 9;
/// What a room's storage keeps of what was read.
const CACHE_BYTES: usize = 65_536;

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn key() -> PluginKey {
    PluginKey { tenant: TenantName::default_tenant(), plugin: PluginName::new("bench-room").expect("a name") }
}

/// The guests of the load program, which parse and answer JSON: what they are called here, and their projects.
const GUESTS: [(&str, &str); 2] = [("rust", "tests/load/guest"), ("typescript", "tests/load/typescript")];

/// The guest that a project is built to.
fn guest(runtime: &Runtime, language: &str, project: &str) -> Plugin {
    let out = root().join("target/bench-plugins").join(language);
    let built = Command::new(env!("CARGO_BIN_EXE_parlor"))
        .current_dir(root())
        .args(["build", project, "--out"])
        .arg(&out)
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the guest in {project} did not build");
    let engine = Arc::new(engine::start(&Limits::default(), &Arc::default()).expect("an engine"));
    let loader =
        Loader::new(engine, &root().join("target/bench-data"), env!("CARGO_BIN_EXE_parlor").into(), &Limits::default())
            .expect("a loader");
    let file = out.join("bench-room.wasm");
    let PluginKey { tenant, plugin } = key();
    let tapes = TapePlace::Dev(root().join("target/bench-tapes"));
    let terms = Tenants::new(BTreeMap::new(), Layers::default(), 1).taping(tapes).terms(&tenant, &plugin);
    runtime.block_on(loader.load(key(), &file, terms)).expect("the guest loads")
}

/// A room's storage that has what `recall` reads: three values of so many bytes.
fn storage(runtime: &Runtime, value_bytes: usize) -> Arc<StorageView> {
    let storage = MemoryStorage::default();
    let room = RoomKey { plugin: key(), room: RoomId::default_room() };
    runtime.block_on(async {
        let room = storage.open(&room).await.expect("storage");
        let value = serde_json::to_vec(&"v".repeat(value_bytes.saturating_sub(2))).expect("JSON");
        let writes = ["first", "second", "third"].map(|key| (key.to_owned(), Some(value.clone())));
        let batch = Batch { writes: BTreeMap::from(writes), alarm: None };
        room.commit(batch, Durability::Relaxed).await.expect("a commit");
        Arc::new(StorageView::new(room, CACHE_BYTES))
    })
}

fn event(name: &str) -> Event {
    let data = Json::parse(r#"{"n":17,"text":"a message of some thirty bytes"}"#.to_owned()).expect("JSON");
    Event {
        cause: name.to_owned(),
        name: name.to_owned(),
        channel: None,
        data: EventData::of(Some(Payload::Json(data))),
        caused_by: Some(1),
        socket: Some(1),
        ack: None,
        accepted_at: 1_700_000_000_000.0,
    }
}

/// One event into the guest, which parses it and makes one emit.
async fn handle(instance: &mut Instance, state: Box<RoomState>, limits: &Arc<Limits>, event: Event) -> Box<RoomState> {
    let storage = StorageUse::default();
    let turn = Box::new(Turn::begin(state, storage, Some(1), Some(1), event.accepted_at, Arc::clone(limits)));
    let (turn, outcome) = instance.handle(event, turn).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    let (mut state, ended) = turn.end();
    state.make_final(state.mark());
    assert_eq!(ended.effects.emits.len(), 1);
    state
}

fn boundary(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for (language, project) in GUESTS {
        let plugin = Arc::new(guest(&runtime, language, project));
        recording(&runtime, language, &plugin);
        measure(&mut criterion.benchmark_group(language), &runtime, &plugin);
    }
}

/// What recording adds to a turn: lives of a thousand turns, one recorded and one not, in turn.
fn recording(runtime: &Runtime, language: &str, plugin: &Plugin) {
    const LIVES: u64 = 100;
    const TURNS: u64 = 1_000;
    for (name, value_bytes) in [("relay", 0), ("echo", 0), ("recall", SMALL), ("recall", 1_024), ("recall", 16_384)] {
        let (storage, event) = (storage(runtime, value_bytes), event(name));
        let mut took = [Duration::ZERO; 2];
        for _ in 0..LIVES {
            for (took, tape) in took.iter_mut().zip([None, Some(Arc::default())]) {
                *took += runtime.block_on(turns(plugin, &storage, &event, TURNS, tape));
            }
        }
        let [off, on] = took.map(|took| took.as_secs_f64() * 1e6 / (LIVES * TURNS) as f64);
        println!(
            "{language}/{name} ({value_bytes} bytes a value): {off:.2} us a turn, recorded {on:.2} us: {:.1} per cent more",
            100.0 * (on / off - 1.0)
        );
    }
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, runtime: &Runtime, plugin: &Arc<Plugin>) {
    let storage = storage(runtime, SMALL);

    for (label, name) in [
        ("handle with one emit", "relay"),
        ("handle with one emit, JSON parsed and written", "echo"),
        ("handle with three reads of storage and one emit", "recall"),
    ] {
        group.bench_function(label, |bencher| {
            bencher.iter_custom(|count| runtime.block_on(turns(plugin, &storage, &event(name), count, None)));
        });
    }

    group.bench_function("open a warm room's instance and drop it", |bencher| {
        bencher.iter_custom(|count| runtime.block_on(open_and_drop(plugin, &storage, count)));
    });

    let slow = runtime.handle();
    group.bench_function("authorize in an instance of its own", |bencher| {
        bencher.iter_custom(|count| {
            runtime.block_on(async {
                let start = Instant::now();
                for _ in 0..count {
                    let request = ConnectRequest {
                        uri: "ws://localhost/bench".to_owned(),
                        room: "default".to_owned(),
                        headers: vec![("host".to_owned(), "localhost".to_owned())],
                        remote: "127.0.0.1".to_owned(),
                    };
                    plugin.authorize(request, slow).await.expect("an answer");
                }
                start.elapsed()
            })
        });
    });
}

/// How long the turns of a room take.
fn pace(plugin: &Plugin) -> Arc<RoomPace> {
    Arc::new(RoomPace::new(RoomId::default_room(), Arc::clone(plugin.pace())))
}

/// So many turns of one room with one socket.
async fn turns(
    plugin: &Plugin,
    storage: &Arc<StorageView>,
    event: &Event,
    count: u64,
    tape: Option<Arc<TapeBase>>,
) -> Duration {
    let mut instance =
        plugin.open(RoomId::default_room(), pace(plugin), Arc::clone(storage), tape).await.expect("a room");
    let mut state = Box::<RoomState>::default();
    state.members.insert(1, Meta::anonymous("ana".to_owned(), "c1".to_owned(), vec!["default".to_owned()]));
    let start = Instant::now();
    for _ in 0..count {
        state = handle(&mut instance, state, plugin.limits(), event.clone()).await;
        if let Some(recorder) = instance.recorder() {
            recorder.judged(&TapedVerdict::Committed);
        }
    }
    start.elapsed()
}

async fn open_and_drop(plugin: &Plugin, storage: &Arc<StorageView>, count: u64) -> Duration {
    let start = Instant::now();
    for _ in 0..count {
        drop(plugin.open(RoomId::default_room(), pace(plugin), Arc::clone(storage), None).await.expect("a room"));
    }
    start.elapsed()
}

criterion_group!(benches, boundary);
criterion_main!(benches);
