//! A cache of compiled functions. Cranelift looks them up by a hash of everything that goes into a function. All scripts
//! share the whole of their language's engine, and two builds of a plugin share most of their code.
//!
//! The functions of a tenant are in one file, a pack. The child gets the pack and returns it with the new functions. A
//! tenant's pack holds only what was compiled for that tenant. The packs of languages, which the operator's components
//! fill, are only read: what is found there does not come into the tenant's pack. A pack ends in a hash of its content;
//! a damaged one counts as empty.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parking_lot::Mutex;
use wasmtime::CacheStore;

/// The first bytes of a pack. Entries follow: two little-endian lengths, the key and the value.
const MAGIC: &[u8; 8] = b"parlorf1";
/// The bytes of the hash at the end of a pack.
const HASH_BYTES: usize = blake3::OUT_LEN;
/// The bytes of the two lengths before each key and value.
const LENGTHS_BYTES: usize = 8;

/// The functions of packs, and those that this compilation adds to the first of them.
#[derive(Debug)]
pub struct Functions {
    own: Pack,
    /// Where a function is looked up first.
    languages: Vec<Pack>,
    fresh: Mutex<NewFunctions>,
    reused: AtomicU32,
    /// How many bytes a pack may have.
    bytes_max: usize,
}

/// The bytes of a pack, and what is where in them.
#[derive(Debug)]
struct Pack {
    bytes: Vec<u8>,
    known: HashMap<Vec<u8>, PackedFunction>,
}

impl Pack {
    /// Opens a pack. A damaged one counts as empty.
    fn of(bytes: Vec<u8>) -> Self {
        let known = entries_of(&bytes).unwrap_or_default();
        Self { bytes, known }
    }

    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        let known = self.known.get(key)?;
        known.is_used.store(true, Ordering::Relaxed);
        self.bytes.get(known.value.clone())
    }
}

/// Where a function is in the pack.
#[derive(Debug)]
struct PackedFunction {
    entry: Range<usize>,
    value: Range<usize>,
    is_used: AtomicBool,
}

#[derive(Debug, Default)]
struct NewFunctions {
    /// The entries of the new functions, one after the other.
    bytes: Vec<u8>,
    count: u32,
    left_out: u32,
}

impl NewFunctions {
    /// Adds a function, unless the pack would have more bytes than that.
    fn add(&mut self, key: &[u8], value: &[u8], bytes_max: usize) -> bool {
        let (Ok(key_bytes), Ok(value_bytes)) = (u32::try_from(key.len()), u32::try_from(value.len())) else {
            return false;
        };
        let bytes = LENGTHS_BYTES + key.len() + value.len();
        if MAGIC.len() + self.bytes.len() + bytes + HASH_BYTES > bytes_max {
            return false;
        }
        self.bytes.extend_from_slice(&key_bytes.to_le_bytes());
        self.bytes.extend_from_slice(&value_bytes.to_le_bytes());
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        true
    }
}

/// How many functions a compilation found in the pack, how many it compiled, and how many of these the pack has no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FunctionCounts {
    pub reused: u32,
    pub anew: u32,
    pub left_out: u32,
}

impl Functions {
    /// Opens a pack, which may grow to `bytes_max`, and packs that are only read.
    pub fn of(pack: Vec<u8>, bytes_max: usize, languages: Vec<Vec<u8>>) -> Self {
        let languages = languages.into_iter().map(Pack::of).collect();
        Self { own: Pack::of(pack), languages, fresh: Mutex::default(), reused: AtomicU32::new(0), bytes_max }
    }

    /// Whether nothing changed in a pack since it was written.
    pub fn are_whole(pack: &[u8]) -> bool {
        content_of(pack).is_some()
    }

    pub fn counts(&self) -> FunctionCounts {
        let fresh = self.fresh.lock();
        FunctionCounts { reused: self.reused.load(Ordering::Relaxed), anew: fresh.count, left_out: fresh.left_out }
    }

    /// Makes the pack for the next compilation. Functions that were used now come last; if not all fit, those that were
    /// unused for longest are left out.
    pub fn to_pack(&self) -> Vec<u8> {
        let mut known: Vec<&PackedFunction> = self.own.known.values().collect();
        known.sort_by_key(|known| (known.is_used.load(Ordering::Relaxed), known.entry.start));
        let fresh = self.fresh.lock();
        let mut left = (MAGIC.len() + fresh.bytes.len() + HASH_BYTES..self.bytes_max).len();
        let newest_first = known.iter().rev().take_while(|known| {
            let fits = known.entry.len() <= left;
            left = left.saturating_sub(known.entry.len());
            fits
        });
        let kept = known.len() - newest_first.count();
        let mut pack = MAGIC.to_vec();
        for known in &known[kept..] {
            pack.extend_from_slice(&self.own.bytes[known.entry.clone()]);
        }
        pack.extend_from_slice(&fresh.bytes);
        let hash = blake3::hash(&pack);
        pack.extend_from_slice(hash.as_bytes());
        // The limit may be too small for even an empty pack.
        if pack.len() > self.bytes_max { Vec::new() } else { pack }
    }
}

impl CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let found = self.languages.iter().chain([&self.own]).find_map(|pack| pack.get(key))?;
        self.reused.fetch_add(1, Ordering::Relaxed);
        Some(Cow::Borrowed(found))
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        let mut fresh = self.fresh.lock();
        let has_room = fresh.add(key, &value, self.bytes_max);
        fresh.count += 1;
        fresh.left_out += u32::from(!has_room);
        has_room
    }
}

/// A pack without its hash, which fits.
fn content_of(pack: &[u8]) -> Option<&[u8]> {
    let (content, hash) = pack.split_last_chunk::<HASH_BYTES>()?;
    (content.starts_with(MAGIC) && blake3::hash(content) == *hash).then_some(content)
}

/// Reads the entries of a pack; `None` if it is damaged.
fn entries_of(pack: &[u8]) -> Option<HashMap<Vec<u8>, PackedFunction>> {
    let content = content_of(pack)?;
    let mut left = &content[MAGIC.len()..];
    let mut known = HashMap::new();
    while !left.is_empty() {
        let start = content.len() - left.len();
        let (key_bytes, rest) = length(left)?;
        let (value_bytes, rest) = length(rest)?;
        let (key, rest) = rest.split_at_checked(key_bytes)?;
        let (_, rest) = rest.split_at_checked(value_bytes)?;
        let end = content.len() - rest.len();
        let (entry, value) = (start..end, end - value_bytes..end);
        known.insert(key.to_vec(), PackedFunction { entry, value, is_used: AtomicBool::new(false) });
        left = rest;
    }
    Some(known)
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*length) as usize, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = 10_000;

    fn with(pack: Vec<u8>, fresh: &[(&str, &str)]) -> Functions {
        let functions = Functions::of(pack, ROOM, Vec::new());
        fresh.iter().for_each(|(key, value)| assert!(functions.insert(key.as_bytes(), value.as_bytes().to_vec())));
        functions
    }

    fn get(functions: &Functions, key: &str) -> Option<String> {
        functions.get(key.as_bytes()).map(|value| String::from_utf8(value.into_owned()).unwrap())
    }

    #[test]
    fn what_was_compiled_once_is_found_the_next_time() {
        let first = with(Vec::new(), &[("a", "code of a"), ("b", "")]);
        assert_eq!((get(&first, "a"), first.counts()), (None, FunctionCounts { reused: 0, anew: 2, left_out: 0 }));
        let second = with(first.to_pack(), &[("c", "code of c")]);
        assert_eq!([get(&second, "a"), get(&second, "b")], [Some("code of a".to_owned()), Some(String::new())]);
        assert_eq!(second.counts(), FunctionCounts { reused: 2, anew: 1, left_out: 0 });
        let third = with(second.to_pack(), &[]);
        assert_eq!(["a", "b", "c", "d"].map(|key| get(&third, key).is_some()), [true, true, true, false]);
    }

    #[test]
    fn a_damaged_pack_is_none() {
        let pack = with(Vec::new(), &[("a", "code of a"), ("b", "code of b")]).to_pack();
        for place in 0..pack.len() {
            let mut damaged = pack.clone();
            damaged[place] ^= 1;
            assert_eq!(get(&Functions::of(damaged, ROOM, Vec::new()), "a"), None, "byte {place}");
            assert_eq!(get(&Functions::of(pack[..place].to_vec(), ROOM, Vec::new()), "a"), None, "cut at {place}");
        }
        assert_eq!(get(&Functions::of(pack, ROOM, Vec::new()), "a").as_deref(), Some("code of a"));
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let entry = LENGTHS_BYTES + 1 + 9;
        let bytes_max = MAGIC.len() + HASH_BYTES + 3 * entry;
        let pack = with(Vec::new(), &[("a", "code of a"), ("b", "code of b"), ("c", "code of c")]).to_pack();
        let functions = Functions::of(pack, bytes_max, Vec::new());
        assert!(get(&functions, "a").is_some());
        assert!(functions.insert(b"d", b"code of d".to_vec()));
        let pack = functions.to_pack();
        assert_eq!(pack.len(), bytes_max);
        let next = Functions::of(pack, bytes_max, Vec::new());
        assert_eq!(["a", "b", "c", "d"].map(|key| get(&next, key).is_some()), [true, false, true, true]);
        // What is new and has no place is compiled again the next time.
        let full = (0..4).map(|number| next.insert(&[number], b"code of x".to_vec())).collect::<Vec<_>>();
        assert_eq!(full, [true, true, true, false]);
        assert_eq!(next.counts(), FunctionCounts { reused: 3, anew: 4, left_out: 1 });
        assert_eq!(next.to_pack().len(), bytes_max);
    }

    #[test]
    fn a_languages_functions_are_found_and_stay_where_they_are() {
        let language = with(Vec::new(), &[("a", "code of the language"), ("b", "more of it")]).to_pack();
        // The tenant compiled one of them before the language had a pack.
        let own = with(Vec::new(), &[("a", "own code"), ("c", "code of c")]).to_pack();
        let entry = LENGTHS_BYTES + 1 + "code of c".len();
        let bytes_max = MAGIC.len() + HASH_BYTES + entry;
        let functions = Functions::of(own, bytes_max, vec![b"damaged".to_vec(), language]);
        let found = ["a", "b", "c", "d"].map(|key| get(&functions, key));
        let expected = ["code of the language", "more of it", "code of c"].map(|code| Some(code.to_owned()));
        assert_eq!((&found[..3], &found[3]), (&expected[..], &None));
        assert_eq!(functions.counts(), FunctionCounts { reused: 3, anew: 0, left_out: 0 });
        let next = Functions::of(functions.to_pack(), bytes_max, Vec::new());
        assert_eq!(["a", "b", "c"].map(|key| get(&next, key).is_some()), [false, false, true]);
    }
}
