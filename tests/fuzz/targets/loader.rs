//! What tenants give: any bytes are refused in one line, or become a plugin whose `init` runs within its bounds.
//!
//! Texts are assembled: as inputs they are the seeds, and their mutations are those of the component.
#![no_main]

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target, fuzzer_mutate};
use parlor::guest::RoomContext;
use parlor::guest::engine;
use parlor::guest::instance::Instance;
use parlor::guest::tape::Tape;
use parlor::model::limits::Limits;
use parlor::model::names::{PluginKey, PluginName, TenantName};
use parlor::plugin::loader::Loader;
use parlor::tenant::{Account, Demand};
use parlor_fuzz::components::assemble;
use tokio::runtime::{Builder, Runtime};

/// What an error may say: what the host quotes of wasmtime's, and its own words before that.
const ERROR_BYTES_MAX: usize = 1_200;

/// What every component begins with.
const COMPONENT_HEADER: &[u8] = b"\0asm\x0d\0\x01\0";

/// The server's own path from bytes to an instance.
struct Host {
    loader: Loader,
    outside: Arc<RoomContext>,
    runtime: Runtime,
}

static HOST: LazyLock<Host> = LazyLock::new(|| {
    // The engine is the server's. `init` gets less time than there, so that a loop costs the fuzzer little.
    let limits = Arc::new(Limits { init_cpu_ms: 10, call_wall_ms: 1_000, ..Limits::default() });
    let engine = Arc::new(engine::start(&limits, &Arc::default()).expect("an engine"));
    let data = std::env::temp_dir().join("parlor-fuzz");
    let loader = Loader::new(engine, &data, PathBuf::new(), &limits).expect("a loader");
    let plugin = PluginKey { tenant: TenantName::default_tenant(), plugin: PluginName::new("fuzz").expect("a name") };
    let account = Arc::new(Account::new(plugin.tenant.clone(), Limits::clone(&limits), &Demand::new(1)));
    let (version, config) = ("fuzz".to_owned(), Arc::default());
    let totals = account.totals(&plugin.plugin, &limits);
    let (log, pace) = (Arc::clone(&totals.log), Arc::clone(&totals.pace));
    let outside = RoomContext { plugin, version, room: None, room_pace: None, limits, config, account, pace, log };
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    Host { loader, outside: Arc::new(outside), runtime }
});

fuzz_target!(|input: &[u8]| -> Corpus {
    let assembled = assemble(input);
    let bytes = assembled.as_deref().unwrap_or(input);
    load(bytes);
    // What is no component is refused, and no start for mutations: half of the corpus would be texts that do not parse.
    if bytes.starts_with(COMPONENT_HEADER) { Corpus::Keep } else { Corpus::Reject }
});

fn load(bytes: &[u8]) {
    let template = match HOST.loader.prepare(bytes) {
        Ok(template) => template,
        Err(why) => return assert_one_line(&format!("{why:#}")),
    };
    let opened = HOST.runtime.block_on(Instance::open(&template, Arc::clone(&HOST.outside), None, Tape::Off));
    match opened {
        Ok((instance, _)) => drop(instance.registrations().names()),
        Err(why) => assert_one_line(&why.to_string()),
    }
}

/// A component must not write lines of its own into the host's log by the names in it, nor move a terminal's cursor.
fn assert_one_line(why: &str) {
    let leaves_the_line = |letter: char| letter.is_control() && letter != '\t';
    assert!(!why.contains(leaves_the_line), "an error that is not one line: {why:?}");
    assert!(why.len() <= ERROR_BYTES_MAX, "an error of {} bytes", why.len());
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, _seed: u32| {
    let assembled = assemble(&data[..size]).filter(|component| component.len() <= max_size);
    let size = assembled.map_or(size, |component| {
        data[..component.len()].copy_from_slice(&component);
        component.len()
    });
    fuzzer_mutate(data, size, max_size)
});
