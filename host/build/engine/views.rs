//! How many bytes a view has: where its buffer may be resized, quickjs-ng's C interface tells what the view had when it was made.

use anyhow::ensure;

const AS_MADE: &str = "    *psize = ta->length;\n    return abuf->data + ta->offset;";
const AS_IT_IS: &str = "    *psize = p->u.array.count;\n    return abuf->data + ta->offset;";

/// The source of a file in which `JS_GetUint8Array` tells the length that the view has now.
pub fn with_lengths(name: &str, source: String) -> anyhow::Result<String> {
    if name != "quickjs" {
        return Ok(source);
    }
    ensure!(source.matches(AS_MADE).count() == 1, "quickjs.c has no `JS_GetUint8Array` as it was");
    Ok(source.replace(AS_MADE, AS_IT_IS))
}
