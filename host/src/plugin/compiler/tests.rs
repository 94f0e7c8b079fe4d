use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::files::PARTIAL;
use crate::model::names::{PluginName, TenantName};

/// A data folder, deleted with this value.
struct DataFolder(PathBuf);

impl DataFolder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("parlor-compiler-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("compiled/default")).unwrap();
        Self(path)
    }

    /// A compiler whose child is a shell that runs a script.
    fn compiler(&self, script: &str) -> Arc<Compiler> {
        let program = self.0.join("program");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        Arc::new(Compiler::new(Engine::default(), program, &self.0, &Limits::default()).unwrap())
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.0.join("compiled/default")).unwrap().count()
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn account() -> Arc<Account> {
    Arc::new(Account::new(TenantName::default_tenant(), Limits::default(), &crate::tenant::Demand::new(1)))
}

fn key() -> PluginKey {
    PluginKey { tenant: TenantName::default_tenant(), plugin: PluginName::new("p").unwrap() }
}

#[tokio::test]
async fn how_the_child_ends_is_told_in_one_line() {
    let data = DataFolder::new("ends");
    for (script, words) in [
        ("kill -XCPU $$", "more CPU time to compile than compile-cpu-ms: 120000 ms"),
        ("kill -XFSZ $$", "larger by compiling than compiled-bytes: 536870912"),
        ("kill -KILL $$", "killed from outside"),
        (
            "echo 'cannot write the code: it is full' >&2; exit 74",
            "was not compiled: cannot write the code: it is full",
        ),
        ("echo 'Disk quota exceeded (os error 122)' >&2; exit 74", "was not compiled: Disk quota exceeded"),
        ("kill -SEGV $$", "crashed with signal 11"),
        (
            "echo 'memory allocation of 9 bytes failed' >&2; kill -ABRT $$",
            "memory to compile than compile-memory-bytes",
        ),
        ("echo 'parlor: what is wrong' >&2; exit 1", "does not compile: what is wrong"),
        ("exit 0", "does not fit this host"),
        ("echo no native code", "does not fit this host"),
    ] {
        let why = data.compiler(script).component(&key(), &account(), Arc::from(*b"x")).await.err().unwrap();
        let of_machine = script.contains("KILL") || script.contains("exit 74");
        assert_eq!(why.is::<Prevented>(), of_machine, "{script}: {why}");
        let why = why.to_string();
        assert!(why.contains(words) && !why.contains('\n') && why.len() < 5_000, "{script}: {why}");
        assert_eq!(data.files(), 0, "{script}");
    }
}

#[tokio::test]
async fn a_child_that_nobody_waits_for_ends_and_gives_way() {
    let data = DataFolder::new("given-up");
    let compiler = data.compiler("exec sleep 30");
    let start = Instant::now();
    let (key, account) = (key(), account());
    let compiling = compiler.component(&key, &account, Arc::from(*b"x"));
    assert!(tokio::time::timeout(Duration::from_millis(100), compiling).await.is_err());
    // The child counts among the compilations at once until it is gone.
    assert_eq!(compiler.at_once.available_permits(), compiler.limits.compiles_at_once - 1);
    let _turn = compiler.at_once.acquire().await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(data.files(), 0);
}

/// The child's CPU time is the tenant's, also where it is killed, and no room waits for it.
#[tokio::test]
async fn what_the_child_uses_is_charged() {
    let data = DataFolder::new("charged");
    // Each of them for a tenth of a second and more; the second one is given up.
    let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
    for (script, patience) in [(busy.to_owned(), 60_000), (format!("{busy}; exec sleep 60"), 1_500)] {
        let (compiler, account) = (data.compiler(&script), account());
        let compiling = async { compiler.component(&key(), &account, Arc::from(*b"x")).await.is_ok() };
        let compiled = tokio::time::timeout(Duration::from_millis(patience), compiling).await;
        assert!(!compiled.unwrap_or(false));
        let _gone = compiler.at_once.acquire().await.unwrap();
        assert!(account.cpu.used() > Duration::from_millis(30), "{:?}", account.cpu.used());
        assert_eq!(account.cpu.owes_now(), Duration::ZERO);
    }
}

#[test]
fn what_a_dead_process_left_behind_goes_at_the_start() {
    let data = DataFolder::new("stale");
    let partial = |name: &str| data.0.join("compiled/default").join(format!("{name}.{PARTIAL}1-0"));
    std::fs::write(partial("left"), "half").unwrap();
    let first = data.compiler("");
    assert!(!partial("left").exists());
    // What a living process began stays, whoever starts beside it.
    std::fs::write(partial("at-work"), "half").unwrap();
    let second = data.compiler("");
    drop(first);
    let third = data.compiler("");
    assert!(partial("at-work").exists());
    drop((second, third));
    data.compiler("");
    assert!(!partial("at-work").exists());
}

/// As two servers' harnesses do that share a cache: each finds what the other one made, and what both add to the tenant's pack.
#[tokio::test]
async fn two_processes_with_one_folder_compile_one_after_the_other() {
    let data = DataFolder::new("together");
    let said = data.0.join("said");
    let script = format!("echo begun >> {0}; sleep 0.2; echo ended >> {0}", said.display());
    let (one, other) = (data.compiler(&script), data.compiler(&script));
    let (key, account) = (key(), account());
    let both = tokio::join!(
        one.component(&key, &account, Arc::from(*b"x")),
        other.component(&key, &account, Arc::from(*b"y"))
    );
    assert!(both.0.is_err() && both.1.is_err(), "the script compiles nothing");
    assert_eq!(std::fs::read_to_string(said).unwrap(), "begun\nended\n".repeat(2));
}
