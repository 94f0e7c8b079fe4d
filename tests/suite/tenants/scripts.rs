//! Scripts in a tenant's folder, which the server builds: what is dropped is served, what is broken leaves the last good version in
//! service, and a build reads and uses what is its tenant's alone.

use std::fs;
use std::path::Path;
use std::sync::Once;

use super::shared::figure;
use crate::dev::told;
use crate::harness::command::parlor_in;
use crate::harness::{Builder, Client, Folder, Server, json, toolchains};

const BOTH: &str =
    "[tenants.good]\nscripts = true\n[tenants.evil]\nscripts = true\n[limits]\ntenant-cpu-burst-ms = 600000\n";

/// A server whose user has the SDK installed, as `parlor build` of any script does it.
fn builder() -> Builder {
    static INSTALLED: Once = Once::new();
    let cache = toolchains::cache();
    INSTALLED.call_once(|| {
        let folder = Folder::new();
        fs::write(folder.path().join("any.ts"), room("/any", "")).expect("a file");
        let built = parlor_in(folder.path(), &["build", "any.ts"], &[("XDG_CACHE_HOME", &cache)]);
        assert!(built.success, "{}", built.err);
    });
    Server::builder().env("XDG_CACHE_HOME", cache.to_str().expect("a path of text"))
}

/// A script whose room answers `say`, with this at its top level.
fn room(path: &str, top: &str) -> String {
    format!(
        "import {{ defineRoom }} from \"@parlor/guest\";\nconst room = defineRoom({{ websocketPath: \"{path}\" }});\nlet text: string = \"plain\";\n\
         {top}\nroom.on(\"say\", (ctx) => ctx.emit.emit(\"said\", {{ text }}));\n"
    )
}

/// Puts a file in its place in one step.
fn put(folder: &Path, name: &str, text: &str) {
    let (file, part) = (folder.join(name), folder.join(".part"));
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(&part, text).and_then(|()| fs::rename(&part, &file)).expect("a file");
}

async fn says(client: &mut Client) -> String {
    client.send("say", json!(1)).await;
    client.next_event("said").await["text"].as_str().expect("a text").to_owned()
}

/// All that the API says of a plugin.
async fn known(server: &Server, plugin: &str) -> String {
    server.request("GET", &format!("/_parlor/api/plugins/{plugin}")).operator().send().await.body
}

#[tokio::test]
async fn a_script_that_is_dropped_is_served_and_the_last_good_version_outlives_bad_ones() {
    let server = builder().config(BOTH).start();
    let folder = server.folder().join("plugins/good");
    fs::create_dir(&folder).expect("a folder");
    put(&folder, "chat.ts", &room("/chat", ""));
    told(&server, 1, &["loaded", "plugin=\"chat\""]).await;
    let mut ada = server.join("/t/good/chat").await;
    assert_eq!(says(&mut ada).await, "plain");

    // What it imports belongs to it, in folders below as well, and with the name that it will have as JavaScript.
    put(&folder, "lib/words.ts", "export const words = \"of lib\";");
    put(&folder, "chat.ts", &room("/chat", "import { words } from \"./lib/words.js\"; text = words;"));
    told(&server, 1, &["reloaded", "plugin=\"chat\""]).await;
    assert_eq!(says(&mut ada).await, "of lib");
    put(&folder, "lib/words.ts", "export const words = \"of lib, again\";");
    told(&server, 2, &["reloaded", "plugin=\"chat\""]).await;
    assert_eq!(says(&mut ada).await, "of lib, again");

    for (top, words) in [
        ("let x: = 3;", "chat.ts:4:8: Unexpected"),
        ("import \"./none\";", "chat.ts:4:8: there is no"),
        ("import \"lodash\";", "chat.ts:4:8: \\\"lodash\\\" cannot be imported"),
        ("await 1;", "chat.ts:4:1: A plugin's module cannot await at its top level"),
        ("throw new Error(\"on purpose\");", "chat.ts:4: on purpose"),
        ("(function f(): void { f(); })();", "chat.ts:4: RangeError: Maximum call stack size exceeded"),
        ("for (;;);", "chat.ts: it had not ended after 10 s"),
    ] {
        put(&folder, "chat.ts", &room("/chat", top));
        told(&server, 1, &["chat.ts is not served", words.rsplit("\\\"").next().expect("words")]).await;
        let known = known(&server, "good/chat").await;
        assert!(known.contains(words) && known.contains("\"serving\""), "{words}: {known}");
        assert_eq!(says(&mut ada).await, "of lib, again", "{top}");
    }
    // What was missing comes, and nothing else changes.
    put(&folder, "chat.ts", &room("/chat", "import { more } from \"./more\"; text = more;"));
    told(&server, 2, &["chat.ts is not served", "there is no"]).await;
    put(&folder, "more.ts", "export const more = \"mended\";");
    told(&server, 3, &["reloaded", "plugin=\"chat\""]).await;
    assert_eq!(says(&mut ada).await, "mended");

    // It has another name, and is gone: as with a component.
    fs::rename(folder.join("chat.ts"), folder.join("talk.ts")).expect("a file");
    told(&server, 1, &["retired", "plugin=\"chat\""]).await;
    told(&server, 1, &["loaded", "plugin=\"talk\""]).await;
    let mut bob = server.join("/t/good/chat").await;
    assert_eq!(says(&mut bob).await, "mended");
    fs::remove_file(folder.join("talk.ts")).expect("a file");
    told(&server, 1, &["retired", "plugin=\"talk\""]).await;
}

#[tokio::test]
async fn a_server_that_starts_again_builds_only_what_changed() {
    let mut server = builder().config(BOTH).start();
    let folder = server.folder().join("plugins/good");
    put(&folder, "lib/words.ts", "export const words = \"of lib\";");
    for (name, top) in [("chat", "import { words } from \"./lib/words\"; text = words;"), ("talk", "")] {
        put(&folder, &format!("{name}.ts"), &room(&format!("/{name}"), top));
        told(&server, 1, &["loaded", &format!("plugin=\"{name}\"")]).await;
    }
    server.terminate().await;
    // Where the SDK is gone, nothing can be built.
    let none = Folder::new();
    server.set_env("XDG_CACHE_HOME", none.path().to_str().expect("a path of text"));
    put(&folder, "talk.ts", &room("/talk", "text = \"changed\";"));
    server.start_again();
    told(&server, 1, &["loaded", "plugin=\"chat\""]).await;
    told(&server, 1, &["talk.ts is not served", "the TypeScript SDK is not installed"]).await;
    let mut ada = server.join("/t/good/chat").await;
    assert_eq!(says(&mut ada).await, "of lib");
    put(&folder, "lib/words.ts", "export const words = \"changed\";");
    told(&server, 1, &["chat.ts is not served", "the TypeScript SDK is not installed"]).await;
    // What was put in its place while no server ran is another file, and is built.
    server.terminate().await;
    server.start_again();
    told(&server, 1, &["chat.ts is not served", "the TypeScript SDK is not installed"]).await;
}

#[tokio::test]
async fn of_a_script_and_a_component_the_later_one_counts() {
    let server = builder().config(BOTH).start();
    let folder = server.folder().join("plugins/good");
    put(&folder, "chat.ts", &room("/chat", ""));
    told(&server, 1, &["loaded", "plugin=\"chat\""]).await;
    put(&folder, "chat.ts", &room("/chat", "text = \"bad idea\";"));
    told(&server, 1, &["reloaded", "plugin=\"chat\""]).await;
    let mut ada = server.join("/t/good/chat").await;
    let rolled = server.request("POST", "/_parlor/api/plugins/good/chat/rollback").operator().send().await;
    assert_eq!(rolled.status, 200, "{rolled:?}");
    told(&server, 1, &["chat.ts is a second file of the plugin good/chat"]).await;
    assert_eq!(says(&mut ada).await, "plain");
    put(&folder, "chat.ts", &room("/chat", "text = \"better\";"));
    told(&server, 2, &["reloaded", "plugin=\"chat\""]).await;
    assert_eq!(says(&mut ada).await, "better");
}

#[tokio::test]
async fn a_script_reads_nothing_of_another_tenant() {
    const SECRET: &str = "xyzzy";
    let server = builder().config(&format!("{BOTH}[tenants.default]\nscripts = true\n")).start();
    let plugins = server.folder().join("plugins");
    let (good, evil) = (plugins.join("good"), plugins.join("evil"));
    let secret = format!("{{ \"compilerOptions\": \"{SECRET}\", broken {SECRET}");
    put(&good, "secret.json", &secret);
    put(&good, "secret.ts", &format!("export const {SECRET} = 1; export default \"{SECRET}\"; let {SECRET} = ;"));
    put(&good, "secret.txt", SECRET);
    put(
        &evil,
        "tsconfig.json",
        "{ \"extends\": \"../good/secret.json\", \"compilerOptions\": { \"paths\": { \"secret\": [\"../good/secret\"] } } }",
    );
    std::os::unix::fs::symlink(good.join("secret.txt"), evil.join("link.txt")).expect("a link");
    std::os::unix::fs::symlink(&good, evil.join("folder")).expect("a link");
    std::os::unix::fs::symlink(good.join("secret.ts"), evil.join("whole.ts")).expect("a link");
    let absolute = good.join("secret.txt");
    let ways = [
        "\"../good/secret.txt\"",
        "\"../good/secret.json\"",
        "\"../good/secret\"",
        "\"./../evil/../good/secret.txt\"",
        "\"./link.txt\"",
        "\"./folder/secret.txt\"",
        "\"./folder/secret\"",
        "\"secret\"",
        "\"file:///etc/hostname\"",
        "\"..\"",
        "\"/etc/hostname\"",
        "\"script:../good/secret.ts\"",
        "\"script:/etc/hostname\"",
    ];
    let mut tops: Vec<String> =
        ways.iter().map(|way| format!("import * as s from {way}; text = JSON.stringify(s);")).collect();
    tops.push(format!("import * as s from {absolute:?}; text = JSON.stringify(s);"));
    tops.push("export const later = (name: string) => import(`../good/${name}.txt`);".to_owned());
    tops.push("export const later = (name: string) => import(`../../plugins/good/${name}.txt`);".to_owned());
    tops.push(format!(
        "export const later = (name: string) => require(\"../../../../../../../..{}/\" + name);",
        good.display()
    ));
    for (number, top) in tops.iter().enumerate() {
        put(&evil, &format!("spy{number}.ts"), &room(&format!("/spy{number}"), top));
        told(&server, 1, &[&format!("spy{number}.ts is not served")]).await;
    }
    // Settings and maps that lead elsewhere are none: this one is served as it stands.
    let map = "//# sourceMappingURL=../good/secret.json";
    put(&evil, "last.ts", &format!("/// <reference path=\"../good/secret.ts\" />\n{}{map}\n", room("/last", "")));
    told(&server, 1, &["loaded", "plugin=\"last\""]).await;
    // The folder of `default` is the one that the others' lie in.
    put(&plugins, "own.ts", &room("/own", "import s from \"./evil/spy0\"; text = s;"));
    told(&server, 1, &["own.ts is not served", "is in a folder of another tenant, or in none"]).await;
    for plugin in (0..tops.len()).map(|number| format!("evil/spy{number}")).chain(["evil/last".to_owned()]) {
        let known = known(&server, &plugin).await;
        assert!(!known.contains(SECRET), "{plugin}: {known}");
    }
    assert!(!server.log().iter().any(|line| line.contains(SECRET)));
    let mut eve = server.join("/t/evil/last").await;
    assert_eq!(says(&mut eve).await, "plain");
}

#[tokio::test]
async fn what_a_build_uses_is_bounded_and_its_tenants() {
    let bounds = format!("{BOTH}compile-cpu-ms = 4000\ncompile-memory-bytes = 700000000\n");
    let server = builder().config(&bounds).start();
    let plugins = server.folder().join("plugins");
    let used =
        async |tenant: &str| figure(&server, &format!("parlor_tenant_cpu_seconds_total{{tenant=\"{tenant}\"}}")).await;
    put(&plugins.join("good"), "chat.ts", &room("/chat", ""));
    told(&server, 1, &["loaded", "plugin=\"chat\""]).await;
    let before = used("good").await;
    put(&plugins.join("evil"), "spin.ts", &room("/spin", "for (;;);"));
    // By its CPU time, or where others leave it less than that in 10 s.
    told(&server, 1, &["spin.ts is not served"]).await;
    let why = known(&server, "evil/spin").await;
    let is_bounded = ["needs more CPU time to build than compile-cpu-ms: 4000 ms", "it had not ended after 10 s"]
        .iter()
        .any(|words| why.contains(words));
    assert!(is_bounded, "{why}");
    assert!(used("evil").await >= 1.0, "{}", used("evil").await);
    let hog = "const all: Uint8Array[] = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1));";
    put(&plugins.join("evil"), "hog.ts", &room("/hog", hog));
    told(&server, 1, &["hog.ts is not served"]).await;
    assert!(used("good").await < before + 0.5);
    let mut ada = server.join("/t/good/chat").await;
    assert_eq!(says(&mut ada).await, "plain");
    assert!(server.children().is_empty(), "{:?}", server.children());
}

#[tokio::test]
async fn a_server_builds_no_script_unless_it_is_told_to_and_says_what_it_lacks() {
    let none = Folder::new();
    let config = "[tenants.good]\nscripts = true\n";
    let server =
        Server::builder().env("XDG_CACHE_HOME", none.path().to_str().expect("a path of text")).config(config).start();
    for tenant in ["good", "other"] {
        put(&server.folder().join("plugins").join(tenant), "chat.ts", &room("/chat", ""));
    }
    told(&server, 1, &["other/chat.ts is not served: the server builds scripts only where `scripts = true` is set in [tenants.other]"]).await;
    let lacking = "the TypeScript SDK is not installed in";
    told(&server, 1, &["good/chat.ts is not served", lacking, "`parlor build FILE.ts`"]).await;
    assert!(known(&server, "good/chat").await.contains(lacking));
}
