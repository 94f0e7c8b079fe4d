//! Projects in TypeScript, and a folder with both languages.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{build, count, told};
use crate::harness::command::parlor;
use crate::harness::folder::Folder;
use crate::harness::{Server, json};

/// Saves a file with other text in it, in one step: where the server looks while it is being written, it builds twice.
fn replace(file: &Path, changes: &[(&str, &str)]) {
    let mut text = fs::read_to_string(file).expect("a file");
    for (old, new) in changes {
        assert!(text.contains(old), "{old}: {text}");
        text = text.replace(old, new);
    }
    let part = file.with_file_name(".saved");
    fs::write(&part, text).expect("a file");
    fs::rename(part, file).expect("a file");
}

#[tokio::test]
async fn a_script_that_is_saved_is_served_and_a_type_error_is_told_with_its_line() {
    let folder = Folder::new();
    assert!(parlor(folder.path(), &["new", "dev-script", "--lang", "ts", "rooms/one"]).success);
    let project = folder.path().join("rooms/one");
    let code = project.join("src/index.ts");
    let server = Server::builder().dev(&folder.path().join("rooms")).start();
    let mut ada = server.join("/dev-script").await;
    assert_eq!(ada.next_event("welcome").await["motd"], "be kind", "what package.json configures");

    // A file that is imported is part of it from then on.
    fs::write(project.join("words.ts"), "export const words: string = \"two\";\n").expect("a file");
    let import = "import { words } from \"../words.ts\";\n\n/** The key";
    replace(&code, &[("text: say.text }", "text: say.text, words }"), ("/** The key", import)]);
    told(&server, 1, &["dev-script: saved -> served in", " s"]).await;
    ada.send("say", json!({ "text": "hi" })).await;
    assert_eq!(ada.next_event("said").await["words"], "two");
    replace(&project.join("words.ts"), &[("two", "three")]);
    told(&server, 2, &["dev-script: saved -> served in", " s"]).await;

    replace(&code, &[("text: say.text,", "text: say.txt,")]);
    told(&server, 1, &["dev-script: the server goes on to serve what was built before"]).await;
    told(&server, 1, &["src/index.ts(", "error TS", "'txt'"]).await;
    let failed = build(&server, "dev-script").await;
    let words = failed["words"].as_str().expect("words");
    assert!(failed["state"] == "failed" && words.contains("src/index.ts(") && words.contains("'txt'"), "{failed}");
    ada.send("say", json!({ "text": "hi" })).await;
    assert_eq!(ada.next_event("said").await["words"], "three", "the version before serves on");

    replace(&code, &[("say.txt", "say.text")]);
    // The same code becomes another component: the snapshot of the engine has random numbers in it.
    told(&server, 3, &["dev-script: saved -> served in", " s"]).await;
    assert_eq!(build(&server, "dev-script").await["state"], "served");

    // What npm and the build write is no change, nor is a file that is only touched.
    let builds = count(&server, "dev-script: building");
    for file in ["package-lock.json", "src/index.ts"] {
        let text = fs::read(project.join(file)).expect("a file");
        fs::write(project.join(file), text).expect("a file");
    }
    fs::write(project.join("package-lock.json"), "{}").expect("a file");
    fs::write(project.join("node_modules/.cache/parlor/x.wasm"), "x").expect("a file");
    fs::create_dir_all(project.join("dist")).expect("a folder");
    fs::write(project.join("dist/x.wasm"), "x").expect("a file");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(count(&server, "dev-script: building"), builds);
}

/// A room in one file, with this at its top level.
fn room_file(name: &str, top: &str) -> String {
    format!(
        "import {{ defineRoom }} from \"@parlor/guest\";\nconst room = defineRoom({{ websocketPath: \"/{name}\" }});\n{top}\n\
         room.on(\"say\", (ctx, text) => ctx.emit.emit(\"said\", {{ text }}));\n"
    )
}

#[tokio::test]
async fn a_file_beside_projects_is_served_and_a_save_gives_the_build_that_runs_up() {
    let folder = Folder::new();
    fs::write(folder.path().join("first.ts"), room_file("first", "")).expect("a file");
    // Neither is a plugin.
    fs::write(folder.path().join("words.ts"), "export const words = 1;\n").expect("a file");
    fs::write(folder.path().join("own.config.ts"), "// defineRoom\n").expect("a file");
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let server = Server::builder().env("XDG_CACHE_HOME", cache.to_str().expect("a path")).dev(folder.path()).start();
    server.join("/first").await;
    let second = folder.path().join("second.ts");
    fs::write(&second, room_file("second", "")).expect("a file");
    told(&server, 1, &["second: saved -> served in", " s"]).await;
    let mut ada = server.join("/second").await;

    // It would run until it is stopped, and never come to what is saved next.
    fs::write(&second, room_file("second", "for (;;);")).expect("a file");
    told(&server, 2, &["second: building"]).await;
    fs::write(&second, room_file("second", "room.on(\"later\", () => {});")).expect("a file");
    told(&server, 1, &["second: saved again, so that this build is given up"]).await;
    told(&server, 2, &["second: saved -> served in", " s"]).await;
    ada.send("say", json!("hi")).await;
    assert_eq!(ada.next_event("said").await["text"], "hi");
    assert_eq!(count(&server, "words"), 0);
}
