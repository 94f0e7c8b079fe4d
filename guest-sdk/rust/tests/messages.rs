//! The compiler's words for the mistakes that authors make are part of the SDK: a change of them is seen here.
//!
//! Not part of every run: the words are rustc's as well, and differ with its version (these are of 1.95); and the SDK
//! is built once more for it. `cargo test -p parlor-guest --test messages -- --ignored` runs it; with
//! `TRYBUILD=overwrite` it writes the `.stderr` files anew. Read what changed before you keep it.

#[test]
#[ignore = "the compiler's words are those of rustc 1.95, and it takes a minute"]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/messages/*.rs");
}
