//! `parlor new`, `build`, `check` and `dev` in C, and the tests that lie beside the code in C.

use std::fs;

use crate::harness::folder::Folder;
use crate::harness::root;
use crate::language::{C, is_refused, parlor, save, succeeds};

#[tokio::test]
async fn a_new_project_is_built_checked_tested_and_served() {
    if C.is_left_out() {
        return;
    }
    let folder = Folder::new();
    let project = C.project(&folder, "fresh-c", &["make test"]);
    let tested = succeeds(&project, "make", &["test"]);
    assert!(tested.out.contains("3 passed"), "{}", tested.out);
    let checked = parlor(&project, &["check", "dist/fresh-c.wasm"]).out;
    assert!(checked.contains("clang") && !checked.contains("wasi:"), "{checked}");
    let component = fs::read(project.join("dist/fresh-c.wasm")).expect("a component");
    let home = folder.path().to_string_lossy().into_owned();
    assert!(!String::from_utf8_lossy(&component).contains(&home), "no place of this machine is in a component");
    crate::new::serves_component(component, "fresh-c").await;
}

/// What is wrong is told where the author looks, with file and line: by a build, and by `parlor dev`.
#[tokio::test]
async fn a_save_is_served_and_mistakes_are_told_with_their_lines() {
    if C.is_left_out() {
        return;
    }
    let folder = Folder::new();
    let mut room = C.dev(&folder).await;
    let code = room.project.join("src/room.c");
    let good = fs::read_to_string(&code).expect("a room");

    save(&code, &good.replace("pl_str(text)));", "pl_str(loud(text))));"));
    room.fails(1, &["room.c:", "undeclared identifier 'loud'"], "room.c:2").await;

    // A file that is new belongs to the plugin as well.
    let header = "const char *loud(const char *text);\n";
    save(&code.with_file_name("loud.h"), header);
    let text = "#include \"loud.h\"\n#include \"parlor.h\"\n\n\
                const char *loud(const char *text) { return pl_format(\"HEY %s\", text); }\n";
    save(&code.with_file_name("loud.c"), text);
    let louder = good.replace("pl_str(text)));", "pl_str(loud(text))));");
    save(&code, &louder.replace("#include <string.h>", "#include \"loud.h\"\n#include <string.h>"));
    room.served(1).await;
    room.is_loud().await;
}

#[test]
fn what_is_missing_is_named_in_a_line() {
    if C.is_left_out() {
        return;
    }
    let folder = Folder::new();
    let project = C.project(&folder, "lost", &[]);
    let words = "zig is missing: plugins in C need zig 0.16 or newer, which is their compiler; `pip install ziglang`";
    C.names_its_compiler(&project, words);

    for (manifest, words) in [
        ("name = \"Lost\"\n", "the name \"Lost\" in "),
        ("name = \"lost\"\nsdk = \"nowhere\"\n", "where `sdk` of "),
        (
            "name = \"lost\"\nflags = 1\n",
            "plugin.toml, line 2, flags: there is no key `flags` here, but name, config, sdk",
        ),
    ] {
        fs::write(project.join("plugin.toml"), manifest).expect("a file");
        is_refused(&project, words);
    }
    fs::write(project.join("plugin.toml"), "name = \"lost\"\n").expect("a file");
    fs::remove_dir_all(project.join("src")).expect("its sources");
    is_refused(&project, "there is no file of C in ");
}

/// The example is as small as its page says, and its own tests pass.
#[test]
fn the_counter_is_small_and_its_tests_pass() {
    if C.is_left_out() {
        return;
    }
    let counter = root().join("plugins/counter");
    let tested = succeeds(&counter, "make", &["test"]);
    assert!(tested.out.contains("2 passed"), "{}", tested.out);
    let len = fs::metadata(counter.join("dist/counter.wasm")).expect("a component").len();
    assert!(len < 64 << 10, "{len} bytes");
}
