//! Components that are made to exhaust whoever compiles them: each is stopped by the bound that it reaches, which is
//! named, and everybody else is served.

use std::fs;
use std::process::{Command, Stdio};

use hostile_guests::{Plan, bare, find};
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::guests::at;
use crate::harness::{Server, json, soon};

fn bomb(name: &str) -> Vec<u8> {
    find(name).expect("a bomb of that name").bytes(&Plan { quiet_until_ms: 0.0 })
}

/// The bomb is refused with these words, and the good plugin beside it serves.
async fn assert_stopped(bounds: &str, bytes: Vec<u8>, words: &[&str]) {
    let data = tempfolder();
    let server = Server::builder()
        .file("bomb.wasm", bytes)
        .file("zz-good.wasm", bare(&[]))
        .flag("--data", data.to_str().expect("a path that is text"))
        .config(&format!("[limits]\n{bounds}"))
        .start();
    let line = server.wait_for_log(&["bomb.wasm is not served"]).await;
    assert!(words.iter().all(|word| line.contains(word)), "{words:?}: {line}");
    let mut client = server.join("/bare").await;
    client.send("say", json!(1)).await;
    client.expect("say").await;
    // Nothing unfinished is left, and no child.
    let kept: Vec<String> = fs::read_dir(data.join("compiled/default"))
        .expect("a folder")
        .map(|entry| entry.expect("a file").file_name().into_string().expect("a name"))
        .collect();
    assert!(kept.len() == 1 && kept[0].ends_with(".cwasm"), "{kept:?}");
    assert_eq!(server.children(), []);
    drop(server);
    fs::remove_dir_all(data).expect("a folder of ours");
}

fn tempfolder() -> std::path::PathBuf {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("compile-{}-{number}", std::process::id());
    std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The child that compiles, once it has offered itself to the kernel's memory killer.
async fn compiler(server: &Server) -> Pid {
    let offers_itself = |child: i32| {
        let score = fs::read_to_string(format!("/proc/{child}/oom_score_adj"));
        score.is_ok_and(|score| score.trim() == "1000")
    };
    let child = soon("a child that compiles", async {
        loop {
            match server.children().first() {
                Some((child, _)) if offers_itself(*child) => return *child,
                _ => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            }
        }
    });
    Pid::from_raw(child.await).expect("a process")
}

/// Where the machine lacks memory, its kernel ends the child and not the server, and the component is tried again.
#[tokio::test]
async fn a_compiler_that_the_machine_kills_is_not_held_against_the_component() {
    let server = Server::builder().file("bare.wasm", bare(&[])).start();
    fs::write(server.folder().join("plugins/bomb.wasm"), bomb("bomb-function")).expect("a file");
    kill_process(compiler(&server).await, Signal::KILL).expect("a signal");
    server.wait_for_log(&["bomb.wasm is not served", "killed from outside"]).await;
    let again = compiler(&server).await;
    kill_process(again, Signal::KILL).expect("a signal");
}

/// What the machine does to the child has an exit code of its own: here its input breaks off.
#[tokio::test]
async fn a_compiler_whose_input_breaks_off_blames_the_machine() {
    let server = Server::builder().file("bare.wasm", bare(&[])).start();
    let upload = server.request("PUT", "/_parlor/api/plugins/default/bomb").operator();
    let upload = tokio::spawn(upload.body("application/wasm", bomb("bomb-function")).send());
    let child = compiler(&server).await;
    let line = fs::read_to_string(format!("/proc/{}/cmdline", child.as_raw_nonzero())).expect("a process");
    let arguments: Vec<&str> = line.split_terminator('\0').collect();
    let broken_off = Command::new(env!("CARGO_BIN_EXE_parlor")).args(&arguments[1..]).stdin(Stdio::null()).output();
    let broken_off = broken_off.expect("a program");
    assert_eq!(broken_off.status.code(), Some(74), "{broken_off:?}");
    kill_process(child, Signal::KILL).expect("a signal");
    let answer = upload.await.expect("an answer");
    assert!(answer.status == 503 && answer.body.contains("killed from outside"), "{answer:?}");
}

/// A compilation that gets no CPU time, as its neighbours may cause, is tried again later and never held against the
/// component; one that goes on takes as long as it takes.
#[tokio::test]
async fn a_compilation_is_judged_by_its_cpu_time_alone() {
    let server = Server::builder().file("bare.wasm", bare(&[])).config("[limits]\ncompile-wall-ms = 3000").start();
    let upload = server.request("PUT", "/_parlor/api/plugins/default/bomb").operator();
    let upload = tokio::spawn(upload.body("application/wasm", bomb("bomb-function")).send());
    kill_process(compiler(&server).await, Signal::STOP).expect("a signal");
    let answer = upload.await.expect("an answer");
    let words = "the compiler got no CPU time for as long as compile-wall-ms: 3000 ms";
    assert!(answer.status == 503 && answer.body.contains(words), "{answer:?}");
    let upload = server.request("PUT", "/_parlor/api/plugins/default/bare").operator();
    let next = upload.body("application/wasm", bare(&[("at the end", "(func $more)")])).send().await;
    assert_eq!(next.status, 200, "{next:?}");
}

#[tokio::test]
async fn cpu_time() {
    let words = ["needs more CPU time to compile than compile-cpu-ms: 1000 ms"];
    assert_stopped("compile-cpu-ms = 1_000", bomb("bomb-function"), &words).await;
}

#[tokio::test]
async fn memory() {
    let words = ["needs more memory to compile than compile-memory-bytes: 500000000"];
    assert_stopped("compile-memory-bytes = 500_000_000", bomb("bomb-function"), &words).await;
}

#[tokio::test]
async fn size() {
    let words = ["becomes larger by compiling than compiled-bytes: 200000"];
    assert_stopped("compiled-bytes = 200_000", bomb("bomb-functions"), &words).await;
}

/// The parser's recursion or the compiler's is its own: a crash of the child is an error like another.
#[tokio::test]
async fn depth() {
    let data = tempfolder();
    let server = Server::builder()
        .file("bomb.wasm", bomb("bomb-nested"))
        .file("zz-good.wasm", bare(&[]))
        .flag("--data", data.to_str().expect("a path that is text"))
        .start();
    let mut client = server.join("/bare").await;
    client.send("say", json!(1)).await;
    client.expect("say").await;
    drop(server);
    fs::remove_dir_all(data).expect("a folder of ours");
}

/// What was not used for longest goes first.
#[tokio::test]
async fn compiled_code_has_a_bound_as_a_whole() {
    let data = tempfolder();
    let start = |name: &str, more: &str, bound: u64| {
        Server::builder()
            .file(name, bare(&[("at the end", more)]))
            .flag("--data", data.to_str().expect("a path that is text"))
            .config(&format!("[limits]\ncompiled-cache-bytes = {bound}"))
            .start()
    };
    let kept = || fs::read_dir(data.join("compiled/default")).expect("a folder").count();
    for (number, expected) in [(1, 1), (2, 2), (3, 3)] {
        start("bare.wasm", &format!("(func $f{number} (drop (i32.const {number})))"), 1 << 30);
        assert_eq!(kept(), expected);
    }
    start("bare.wasm", "(func $f4)", 1);
    assert_eq!(kept(), 1);
    fs::remove_dir_all(data).expect("a folder of ours");
}

/// Functions that the log says were taken over and compiled anew for a plugin.
pub async fn functions(server: &Server, tenant: &str, plugin: &str) -> (u32, u32) {
    let words = ["compiling took", &format!("tenant=\"{tenant}\""), &format!("plugin=\"{plugin}\"")];
    let line = server.wait_for_log(&words).await;
    let count = |name: &str| {
        let digits = line.split(name).nth(1).expect("a count").split_whitespace().next().expect("a number");
        digits.parse().expect("a number")
    };
    (count("reused="), count("anew="))
}

#[tokio::test]
async fn a_tenants_functions_are_compiled_once() {
    let data = tempfolder();
    let server = Server::builder()
        .file("one.wasm", bare(&[]))
        .flag("--data", data.to_str().expect("a path that is text"))
        .log("parlor=debug")
        .start();
    let (reused, all) = functions(&server, "default", "one").await;
    assert!(reused == 0 && all > 0, "{reused} {all}");
    // Others of the tenant differ in their data alone.
    let put = async |tenant: &str, plugin: &str, path: &str| {
        let place = format!("/_parlor/api/plugins/{tenant}/{plugin}");
        let put = server.request("PUT", &place).operator().body("application/wasm", at(path)).send().await;
        assert_eq!(put.status, 201, "{put:?}");
        let address = if tenant == "default" { path.to_owned() } else { format!("/t/{tenant}{path}") };
        let mut client = server.join(&address).await;
        client.send("say", json!(1)).await;
        client.expect("say").await;
        functions(&server, tenant, plugin).await
    };
    let (reused, anew) = put("default", "two", "/also").await;
    assert!(reused > 0 && anew < all, "{reused} {anew} {all}");
    assert_eq!(put("acme", "own", "/elsa").await.0, 0, "another tenant takes over nothing");

    // What lies there is not trusted beyond what it was when it was written.
    let packs = fs::read_dir(data.join("functions")).expect("a folder").map(|entry| entry.expect("a file").path());
    let is_own = |path: &std::path::PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'd');
    let pack = packs.into_iter().find(is_own).expect("the tenant's pack");
    let mut bytes = fs::read(&pack).expect("a pack");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&pack, bytes).expect("a damaged pack");
    assert_eq!(put("default", "three", "/bore").await.0, 0);
    server.wait_for_log(&["default-", "is damaged, so every function is compiled again"]).await;
    assert!(put("default", "four", "/lore").await.0 > 0, "the damaged pack was replaced");
    drop(server);
    fs::remove_dir_all(data).expect("a folder of ours");
}

#[tokio::test]
async fn with_a_bound_of_nothing_no_function_is_kept() {
    let data = tempfolder();
    let server = Server::builder()
        .file("one.wasm", bare(&[]))
        .flag("--data", data.to_str().expect("a path that is text"))
        .config("[limits]\ncompiled-functions-bytes = 0")
        .log("parlor=debug")
        .start();
    assert_eq!(functions(&server, "default", "one").await, (0, 0));
    assert_eq!(fs::read_dir(data.join("functions")).expect("a folder").count(), 0);
    drop(server);
    fs::remove_dir_all(data).expect("a folder of ours");
}
