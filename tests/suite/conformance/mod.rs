//! The cases that every SDK passes, with each SDK's reference plugin in the real server, and in the harness, which `lines`
//! drives. `tests/conformance/README.md` says what a case is.

mod languages;
mod lines;
mod place;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use conformance::{Case, Step, cases, differs, run, stored_as_written};
use parlor::model::names::{PluginKey, PluginName, RoomId, RoomKey, TenantName};
use parlor::storage::durable::DurableStorage;
use parlor::storage::{NobodyPays, PageBounds, Storage as _};
use tokio::sync::RwLock;
use tokio::task::JoinSet;

use self::place::Real;
use crate::harness::{Server, Value, guest, json, scripts::script, toolchains};

/// Long enough that no room falls asleep between two steps, even on a busy machine.
const SLEEP_MS: u64 = 2_000;

/// The reference plugin of an SDK.
struct Plugin {
    first: Vec<u8>,
    second: Arc<Vec<u8>>,
}

fn rust() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| Plugin { first: guest("conformance_first"), second: guest("conformance_second").into() })
}

fn typescript() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    let built =
        |version| script(&format!("tests/conformance/typescript/src/{version}.ts"), &format!("conformance-{version}"));
    PLUGIN.get_or_init(|| Plugin { first: built("first"), second: built("second").into() })
}

fn c() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    let built =
        |version| toolchains::built(&format!("tests/conformance/c/{version}"), &format!("conformance-c-{version}"));
    PLUGIN.get_or_init(|| Plugin { first: built("first"), second: built("second").into() })
}

fn go() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    let built =
        |version| toolchains::built(&format!("tests/conformance/go/{version}"), &format!("conformance-go-{version}"));
    PLUGIN.get_or_init(|| Plugin { first: built("first"), second: built("second").into() })
}

fn python() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    let built =
        |version| toolchains::built(&format!("tests/conformance/python/{version}"), &format!("conformance-{version}"));
    PLUGIN.get_or_init(|| Plugin { first: built("first"), second: built("second").into() })
}

impl Plugin {
    /// A server for these cases.
    fn server(&self, cases: &[Case]) -> Server {
        let sleep = if cases.iter().any(sleeps) { format!("room-sleep-ms = {SLEEP_MS}\n") } else { String::new() };
        // What the cases are about is not how much CPU a busy machine needs for the bounds' thousands of calls.
        let limits = format!("[limits]\nturn-cpu-ms = 2_000\nresume-ms = 2_000\n{sleep}");
        let config = cases.iter().flat_map(|case| &case.config);
        let values: String = config.map(|(key, value)| format!("{key} = {}\n", json!(value))).collect();
        Server::builder()
            .file("conformance.wasm", self.first.clone())
            .config(&format!("{limits}[tenants.default.plugins.conformance.config]\n{values}"))
            .env("PARLOR_LOG_FORMAT", "json")
            .log("warn,guest=debug")
            .start()
    }

    /// Runs cases side by side, each in a room of its own; answers what went wrong.
    async fn run_on(&'static self, server: Server, cases: Vec<Case>) -> Vec<String> {
        let server = Arc::new(RwLock::new(server));
        let mut running = JoinSet::new();
        for case in cases.clone() {
            let mut place = Real::new(&server, &case.name, &self.second);
            running.spawn(async move {
                let outcome = run(&case, &mut place).await;
                outcome.err().map(|why| format!("{} ({}):\n    {why}", case.name, case.shows))
            });
        }
        let mut wrong = Vec::new();
        while let Some(ended) = running.join_next().await {
            let ended = ended.unwrap_or_else(|why| Some(format!("a case panicked; its words are above: {why}")));
            wrong.extend(ended);
        }
        let mut server = Arc::into_inner(server).expect("no case runs any more").into_inner();
        server.terminate().await;
        wrong.extend(wrongly_stored(&server, &cases).await);
        if !wrong.is_empty() {
            eprintln!("the server's log:\n{}", server.log().join("\n"));
        }
        wrong
    }
}

/// What the server left on the disk that these cases do not expect.
async fn wrongly_stored(server: &Server, cases: &[Case]) -> Vec<String> {
    let storage = DurableStorage::start(&server.folder().join("data/tenants"), 1, Arc::new(NobodyPays), Arc::default())
        .expect("the server's storage");
    let mut wrong = Vec::new();
    for case in cases {
        let Some(expected) = &case.stored else { continue };
        let plugin = PluginKey {
            tenant: TenantName::new("default").expect("a name"),
            plugin: PluginName::new("conformance").expect("a name"),
        };
        let key = RoomKey { plugin, room: RoomId::new(&case.name).expect("a room's id") };
        let room = storage.open(&key).await.expect("a room");
        let bounds = PageBounds { entries: 10_000, bytes: usize::MAX };
        let entries = room.scan("", None, bounds).await.expect("entries").entries;
        let written = entries.into_iter().map(|(key, value)| (key, stored_as_written(&value)));
        let found: BTreeMap<String, Value> = written.collect();
        wrong.extend(differs(&format!("{}: stored", case.name), &json!(expected), &json!(found)).err());
    }
    wrong
}

/// Whether a case changes its server for all that are on it.
fn is_alone(case: &Case) -> bool {
    let restarts = case.steps.iter().any(|step| matches!(step, Step::Restart));
    !case.config.is_empty() || restarts || swaps(case)
}

fn swaps(case: &Case) -> bool {
    case.steps.iter().any(|step| matches!(step, Step::Swap | Step::SwapFails(_)))
}

fn sleeps(case: &Case) -> bool {
    case.steps.iter().any(|step| matches!(step, Step::Sleep))
}

/// A plugin passes all cases of a file.
async fn passes(plugin: &'static Plugin, file: &str) {
    let files = cases();
    let (_, cases) = files.into_iter().find(|(name, _)| *name == file).expect("a file of cases");
    let (alone, together): (Vec<Case>, Vec<Case>) = cases.into_iter().partition(is_alone);
    let (sleepy, others): (Vec<Case>, Vec<Case>) = together.into_iter().partition(sleeps);
    let mut groups: Vec<Vec<Case>> = alone.into_iter().map(|case| vec![case]).collect();
    groups.extend([sleepy, others]);
    let mut wrong = Vec::new();
    for group in groups.into_iter().filter(|group| !group.is_empty()) {
        wrong.extend(plugin.run_on(plugin.server(&group), group).await);
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// A test for each file of cases, and one that none is forgotten.
macro_rules! passes {
    ($language:ident: $($file:ident),*) => {
        mod $language {
            $(
                #[tokio::test]
                async fn $file() {
                    if crate::harness::toolchains::is_left_out(stringify!($language)) {
                        return;
                    }
                    super::passes(super::$language(), stringify!($file)).await;
                }
            )*

            #[test]
            fn in_the_harness() {
                super::lines::passes(super::$language());
            }

            #[test]
            fn a_user_who_left_in_a_trap_is_told_of() {
                if crate::harness::toolchains::is_left_out(stringify!($language)) {
                    return;
                }
                super::lines::tells_of_who_left_in_a_trap(super::$language());
            }

            #[test]
            fn no_file_is_forgotten() {
                let files: Vec<&str> = conformance::cases().into_iter().map(|(file, _)| file).collect();
                assert_eq!(files, [$(stringify!($file)),*]);
            }
        }
    };
}

passes!(rust: acks, asks, authorize, bounds, bytes, data, dispatch, emits, history, life, members, presence, storage, time, turns);
passes!(typescript: acks, asks, authorize, bounds, bytes, data, dispatch, emits, history, life, members, presence, storage, time, turns);
passes!(c: acks, asks, authorize, bounds, bytes, data, dispatch, emits, history, life, members, presence, storage, time, turns);
passes!(go: acks, asks, authorize, bounds, bytes, data, dispatch, emits, history, life, members, presence, storage, time, turns);
passes!(python: acks, asks, authorize, bounds, bytes, data, dispatch, emits, history, life, members, presence, storage, time, turns);
