//! The bindings that the Rust SDK carries: what wit-bindgen makes of the contract, generated here and not where plugins are
//! built, since the generator takes far longer to compile than the SDK.

use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator as _};
use wit_bindgen_rust::Opts;

use super::{Source, root};

const BINDINGS: &str = "guest-sdk/rust/generated/bindings.rs";
/// Set to write the bindings anew instead of comparing them.
const WRITE: &str = "PARLOR_WRITE_DOCS";

fn generated(folder: &str) -> String {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(root().join(folder)).expect("the contract parses");
    let world = resolve.select_world(&[package], Some("plugin")).expect("the contract has a world for plugins");
    let options = Opts {
        format: true,
        pub_export_macro: true,
        export_macro_name: Some("export_plugin".to_owned()),
        ..Opts::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files).expect("bindings of the contract");
    let texts: Vec<&[u8]> = files.iter().map(|(_, text)| text).collect();
    let [text] = texts[..] else { panic!("the generator makes {} files", texts.len()) };
    str::from_utf8(text).expect("Rust is text").to_owned()
}

#[test]
fn the_rust_sdk_binds_the_very_same_contract() {
    let wanted = generated("wit");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(root().join(BINDINGS), &wanted).expect("the bindings can be written");
        return;
    }
    let found = Source::read(BINDINGS).unwrap_or_else(|| panic!("{BINDINGS} is missing"));
    assert!(
        found.text == wanted,
        "{BINDINGS} is not what wit-bindgen makes of wit/. Write it anew:\n\n    \
         {WRITE}=1 cargo test --release -p parlor --test suite -- tidy::bindings\n"
    );
}
