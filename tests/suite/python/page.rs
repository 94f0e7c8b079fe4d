//! The page for authors of Python: its room is built, and does what the page says; its tests run in a project.

use std::fs;
use std::path::Path;

use super::answer;
use crate::harness::folder::Folder;
use crate::harness::{Server, json, toolchains};
use crate::language::{PYTHON, parlor, succeeds};

/// The blocks of the page with this marker, as one module.
fn blocks(marker: &str) -> String {
    let page = crate::docs::blocks::page("docs/authors/python.md").blocks();
    let found = page.into_iter().filter(|block| block.marker.as_deref() == Some(marker));
    found.map(|block| block.text).collect::<Vec<_>>().join("\n\n")
}

fn project(folder: &Folder) -> std::path::PathBuf {
    parlor(folder.path(), &["new", "greeter", "--lang", "python"]);
    let project = folder.path().join("greeter");
    fs::write(project.join("src/room.py"), blocks("room")).expect("a room");
    // The page's room does more than a new project's.
    let manifest = project.join("pyproject.toml");
    let text = fs::read_to_string(&manifest).expect("a manifest");
    let wider: String =
        text.lines().filter(|line| !line.starts_with("imports")).map(|line| format!("{line}\n")).collect();
    fs::write(manifest, wider).expect("a manifest");
    project
}

#[tokio::test]
async fn the_pages_room_does_what_the_page_says() {
    if PYTHON.is_left_out() {
        return;
    }
    let folder = Folder::new();
    let project = project(&folder);
    parlor(&project, &["build", "--dev", "--out", "dist"]);
    let component = fs::read(project.join("dist/greeter.wasm")).expect("a component");
    let server = Server::builder().file("greeter.wasm", component).log("warn,guest=debug").start();
    assert_eq!(server.refused("/greet?token=x").await.status, 401);
    let mut ana = server.join("/greet?user=ana").await;
    assert_eq!(ana.next_event("welcome").await, json!({ "type": "welcome", "userId": "ana", "said": 0 }));
    ana.send("hello", json!({ "name": "Ana", "friends": ["bo"] })).await;
    assert_eq!(ana.next_event("hello").await, json!({ "type": "hello", "text": "Ana says hello", "friends": 1 }));
    ana.send("hello", json!({ "name": 5 })).await;
    assert_eq!(ana.next_event("error").await["message"], "data.name must be a text, not the number 5");
    assert_eq!(answer(&mut ana, "add", json!([1, 2.5])).await, json!(3.5));
    ana.send("later", json!("tea")).await;
    assert_eq!(ana.next_event("said").await["text"], "tea");
    ana.send("divide", json!(0)).await;
    assert_eq!(ana.next_event("sorry").await["event"], "divide");
    server.wait_for_log(&["guest", "ZeroDivisionError: division by zero"]).await;
    server.wait_for_log(&["guest", "at divide (room.py:102)"]).await;
}

#[test]
fn the_pages_tests_and_the_templates_run_under_unittest_and_pytest() {
    if PYTHON.is_left_out() {
        return;
    }
    let folder = Folder::new();
    parlor(folder.path(), &["new", "fresh-python", "--lang", "python"]);
    tested(&folder.path().join("fresh-python"));
    let page = project(&folder);
    fs::write(page.join("tests/test_room.py"), blocks("test")).expect("a test");
    tested(&page);
}

fn tested(project: &Path) {
    let python = toolchains::program("python");
    for arguments in [&["-m", "unittest"][..], &["-m", "pytest", "-q", "-p", "no:cacheprovider"]] {
        succeeds(project, &python, arguments);
    }
}
