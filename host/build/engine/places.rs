//! The places of errors that the engine throws by itself. quickjs-ng notes where names, calls and operators stand; `this`, `super`
//! and patterns are none of these, and a function without any had its line and no column: in a bundle, another line of the author's.

use anyhow::ensure;

/// Each stands once in quickjs.c, and what is put in its place.
const CHANGES: [(&str, &str); 5] = [
    ("    *col = 1;\n    p = b->pc2line_buf;\n", "    *col = b->col_num;\n    p = b->pc2line_buf;\n"),
    (
        "    case TOK_THIS:\n        if (next_token(s))\n",
        "    case TOK_THIS:\n        emit_source_loc(s);\n        if (next_token(s))\n",
    ),
    (
        "    case TOK_SUPER:\n        if (next_token(s))\n",
        "    case TOK_SUPER:\n        emit_source_loc(s);\n        if (next_token(s))\n",
    ),
    (
        "    if (s->token.val == '{') {\n        if (next_token(s))\n            return -1;\n        /* throw an exception if the value",
        "    if (s->token.val == '{') {\n        emit_source_loc(s);\n        if (next_token(s))\n            return -1;\n        \
         /* throw an exception if the value",
    ),
    (
        "        emit_op(s, OP_for_of_start);\n        has_spread = false;\n",
        "        emit_source_loc_at(s, source_line_num, source_col_num);\n        \
         emit_op(s, OP_for_of_start);\n        has_spread = false;\n",
    ),
];

/// The source of a file that notes these places.
pub fn with_places(name: &str, source: String) -> anyhow::Result<String> {
    if name != "quickjs" {
        return Ok(source);
    }
    CHANGES.iter().try_fold(source, |source, (from, to)| {
        ensure!(source.matches(from).count() == 1, "quickjs.c does not have this as it was: {from}");
        Ok(source.replace(from, to))
    })
}
