//! Makes bulk-memory instructions interruptible. One over all of a memory would hold its thread for as long as the kernel takes to
//! provide the pages. So each that may be large becomes the call of a function behind all others of its module (`pieces.rs`), which does
//! the same in pieces, in a loop: loops have the engine's interrupts.
//!
//! An instruction and its call have the same length where that is possible, so that places in the code stay where they were.

use wasm_encoder::Encode as _;
use wasmparser::{
    BinaryReader, CodeSectionReader, FunctionBody, ImportSectionReader, Operator, Result as Read, TypeRef,
    TypeSectionReader,
};

use super::pieces::{Bulk, FUNCTION_TYPE, PIECE};
use crate::plugin::carried::leb128;

/// How deep components may lie within each other.
const DEPTH_MAX: usize = 100;
const HEADER_BYTES: usize = 8;
/// The byte of the header by which a component differs from a module.
const LAYER_BYTE: usize = 6;

/// Sections of a component that hold code, and those of a module that are added to.
const COMPONENT_MODULE: u8 = 1;
const COMPONENT_COMPONENT: u8 = 4;
const TYPES: u8 = 1;
const IMPORTS: u8 = 2;
const FUNCTIONS: u8 = 3;
const CODE: u8 = 10;
/// The instruction `call`.
const CALL: u8 = 0x10;

/// The component with all bulk-memory instructions in pieces. `None` if it cannot be read.
pub fn in_pieces(bytes: &[u8]) -> Option<Vec<u8>> {
    in_pieces_at(bytes, 0)
}

fn in_pieces_at(bytes: &[u8], depth: usize) -> Option<Vec<u8>> {
    let header = bytes.get(..HEADER_BYTES).filter(|_| depth < DEPTH_MAX)?;
    if header[LAYER_BYTE] == 0 {
        return module(bytes);
    }
    let mut made = header.to_vec();
    for (id, body) in sections(bytes)? {
        match id {
            COMPONENT_MODULE | COMPONENT_COMPONENT => section(&mut made, id, &in_pieces_at(body, depth + 1)?),
            _ => section(&mut made, id, body),
        }
    }
    Some(made)
}

/// Takes a module or a component apart.
fn sections(bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let (mut at, mut found) = (HEADER_BYTES, Vec::new());
    while let Some(id) = bytes.get(at) {
        let (size, body) = leb128(bytes, at + 1)?;
        at = body.checked_add(size)?;
        found.push((*id, bytes.get(body..at)?));
    }
    Some(found)
}

fn section(made: &mut Vec<u8>, id: u8, body: &[u8]) {
    made.push(id);
    body.encode(made);
}

/// A function with instructions that are replaced, each by the call of the helper of this number.
struct Changed {
    function: usize,
    places: Vec<(std::ops::Range<usize>, usize)>,
}

fn module(bytes: &[u8]) -> Option<Vec<u8>> {
    let sections = sections(bytes)?;
    let body = |wanted| sections.iter().find(|(id, _)| *id == wanted).map(|(_, body)| *body);
    let Some(code) = body(CODE) else { return Some(bytes.to_vec()) };
    let functions: Vec<FunctionBody<'_>> =
        CodeSectionReader::new(BinaryReader::new(code, 0)).ok()?.into_iter().collect::<Read<_>>().ok()?;
    let (helpers, changed) = find(&functions).ok()?;
    if helpers.is_empty() {
        return Some(bytes.to_vec());
    }
    let types = body(TYPES).map_or(Ok(0), count_types).ok()?;
    let first_helper = body(IMPORTS).map_or(Ok(0), count_imported_functions).ok()? + functions.len();
    let mut made = bytes[..HEADER_BYTES].to_vec();
    for (id, body) in &sections {
        match *id {
            TYPES => section(&mut made, TYPES, &longer(body, helpers.iter().map(|_| FUNCTION_TYPE.to_vec()))?),
            FUNCTIONS => {
                let numbers = (0..helpers.len()).map(|helper| encoded(types + helper));
                section(&mut made, FUNCTIONS, &longer(body, numbers)?);
            }
            CODE => {
                let rewritten = with_calls(code, &functions, &changed, first_helper);
                let bodies = helpers.iter().map(|helper| encoded_function(&helper.function()));
                section(&mut made, CODE, &longer(&rewritten, bodies)?);
            }
            _ => section(&mut made, *id, body),
        }
    }
    Some(made)
}

/// Finds the instructions that may be large, and which helpers they need.
fn find(functions: &[FunctionBody<'_>]) -> Read<(Vec<Bulk>, Vec<Changed>)> {
    let (mut helpers, mut changed) = (Vec::new(), Vec::new());
    for (function, body) in functions.iter().enumerate() {
        let (mut places, mut is_small) = (Vec::new(), false);
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let (operator, begin) = operators.read_with_offset()?;
            let bulk = match operator {
                Operator::MemoryFill { mem } => Some(Bulk::Fill { memory: mem }),
                Operator::MemoryCopy { dst_mem, src_mem } => Some(Bulk::Copy { to: dst_mem, from: src_mem }),
                _ => None,
            };
            if let Some(bulk) = bulk.filter(|_| !is_small) {
                let helper = helpers.iter().position(|known| *known == bulk).unwrap_or_else(|| {
                    helpers.push(bulk);
                    helpers.len() - 1
                });
                places.push((begin..operators.original_position(), helper));
            }
            // The length is the last operand: where it is known, and small, the instruction stays.
            is_small = matches!(operator, Operator::I32Const { value } if (0..=PIECE as i32).contains(&value));
        }
        if !places.is_empty() {
            changed.push(Changed { function, places });
        }
    }
    Ok((helpers, changed))
}

/// The code section with calls in the places of instructions.
fn with_calls(code: &[u8], functions: &[FunctionBody<'_>], changed: &[Changed], first_helper: usize) -> Vec<u8> {
    let mut made = encoded(functions.len());
    let mut changed = changed.iter().peekable();
    for (number, function) in functions.iter().enumerate() {
        let range = function.range();
        let Some(change) = changed.next_if(|change| change.function == number) else {
            code[range].encode(&mut made);
            continue;
        };
        let (mut body, mut at) = (Vec::with_capacity(range.len()), range.start);
        for (place, helper) in &change.places {
            body.extend_from_slice(&code[at..place.start]);
            call(&mut body, first_helper + helper, place.len());
            at = place.end;
        }
        body.extend_from_slice(&code[at..range.end]);
        body.encode(&mut made);
    }
    made
}

/// A call that is as long as the instruction in whose place it is, if its function's number allows that.
fn call(code: &mut Vec<u8>, function: usize, length: usize) {
    let begin = code.len();
    code.push(CALL);
    (function as u32).encode(code);
    while code.len() - begin < length {
        // A number may end in zeros that say nothing.
        if let Some(last) = code.last_mut() {
            *last |= 0x80;
        }
        code.push(0);
    }
}

/// A section whose items are more by these.
fn longer(body: &[u8], more: impl ExactSizeIterator<Item = Vec<u8>>) -> Option<Vec<u8>> {
    let (count, items) = leb128(body, 0)?;
    let mut made = encoded(count + more.len());
    made.extend_from_slice(body.get(items..)?);
    more.for_each(|item| made.extend_from_slice(&item));
    Some(made)
}

fn count_types(body: &[u8]) -> Read<usize> {
    let mut groups = TypeSectionReader::new(BinaryReader::new(body, 0))?.into_iter();
    groups.try_fold(0, |count, group| Ok(count + group?.types().len()))
}

fn count_imported_functions(body: &[u8]) -> Read<usize> {
    let mut imports = ImportSectionReader::new(BinaryReader::new(body, 0))?.into_imports();
    imports.try_fold(0, |count, import| {
        Ok(count + usize::from(matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_))))
    })
}

fn encoded(number: usize) -> Vec<u8> {
    let mut made = Vec::new();
    (number as u32).encode(&mut made);
    made
}

fn encoded_function(function: &wasm_encoder::Function) -> Vec<u8> {
    let mut made = Vec::new();
    function.encode(&mut made);
    made
}

#[cfg(test)]
mod tests;
