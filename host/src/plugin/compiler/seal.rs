//! The seal of a cached file: behind the native code stand a mark and a hash over the file's name, that of its folder and
//! the code. Whatever changed since this program wrote the file, in whichever byte, is noticed before the code is loaded; so
//! is a file that has another's name, since names tell the tenant, the component and the engine.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use blake3::{Hash, Hasher, OUT_LEN};

/// The first bytes of a seal.
const MARK: &[u8; 8] = b"parlors1";
pub const SEAL_BYTES: usize = MARK.len() + OUT_LEN;

/// Why a cached file is not loaded.
#[derive(Debug)]
pub enum BrokenSeal {
    Unreadable(io::Error),
    /// The file belongs to this user, not to whom this program's files belong.
    Foreign(u32),
    /// It was cut off, or an earlier version of this program wrote it.
    NoSeal,
    Changed,
}

impl fmt::Display for BrokenSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "{why}"),
            Self::Foreign(user) => write!(f, "it belongs to the user {user}, not to this program's"),
            Self::NoSeal => f.write_str("its checksum is missing"),
            Self::Changed => f.write_str("its checksum is wrong"),
        }
    }
}

impl From<io::Error> for BrokenSeal {
    fn from(why: io::Error) -> Self {
        Self::Unreadable(why)
    }
}

/// The user to whom files belong that this program makes in a folder.
pub fn own_user(folder: &Path) -> io::Result<u32> {
    Ok(tempfile::tempfile_in(folder)?.metadata()?.uid())
}

/// Seals a file of native code that will have the name `kept`.
pub fn put(mut file: &File, kept: &Path) -> io::Result<()> {
    let length = file.metadata()?.len();
    let hash = hash(file, length, kept)?;
    file.seek(SeekFrom::Start(length))?;
    file.write_all(&[MARK, hash.as_bytes().as_slice()].concat())
}

/// Checks that the file is as this program wrote it. `user` is whom it has to belong to.
pub fn check(kept: &Path, user: u32) -> Result<(), BrokenSeal> {
    let mut file = File::open(kept)?;
    let meta = file.metadata()?;
    if meta.uid() != user {
        return Err(BrokenSeal::Foreign(meta.uid()));
    }
    let code_bytes = meta.len().checked_sub(SEAL_BYTES as u64).ok_or(BrokenSeal::NoSeal)?;
    let mut seal = [0; SEAL_BYTES];
    file.seek(SeekFrom::Start(code_bytes))?;
    file.read_exact(&mut seal)?;
    let sealed = seal.strip_prefix(MARK).and_then(|hash| Hash::from_slice(hash).ok()).ok_or(BrokenSeal::NoSeal)?;
    if hash(&file, code_bytes, kept)? == sealed { Ok(()) } else { Err(BrokenSeal::Changed) }
}

/// The hash over the names of a file and its folder, and over the first bytes of its content.
fn hash(mut file: &File, bytes: u64, kept: &Path) -> io::Result<Hash> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = Hasher::new();
    for named in [kept.parent(), Some(kept)] {
        let name = named.and_then(Path::file_name).unwrap_or_default().as_encoded_bytes();
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name);
    }
    hasher.update_reader(file.take(bytes))?;
    Ok(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_changes_in_a_sealed_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (kept, other) = (folder.path().join("a.cwasm"), folder.path().join("b.cwasm"));
        let user = own_user(folder.path()).unwrap();
        std::fs::write(&kept, "native code").unwrap();
        assert!(matches!(check(&kept, user), Err(BrokenSeal::NoSeal)));
        put(&File::options().read(true).write(true).open(&kept).unwrap(), &kept).unwrap();
        let whole = std::fs::read(&kept).unwrap();
        assert!(check(&kept, user).is_ok() && whole.starts_with(b"native code"));
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            std::fs::write(&kept, changed).unwrap();
            assert!(check(&kept, user).is_err(), "byte {place}");
            std::fs::write(&kept, &whole[..place]).unwrap();
            assert!(check(&kept, user).is_err(), "cut at {place}");
        }
        std::fs::write(&kept, [&whole[..], b"x"].concat()).unwrap();
        assert!(check(&kept, user).is_err());
        // Whole, but under another name.
        std::fs::write(&other, &whole).unwrap();
        assert!(matches!(check(&other, user), Err(BrokenSeal::Changed)));
        // Whole, but in another tenant's folder.
        let elsewhere = folder.path().join("other/a.cwasm");
        std::fs::create_dir(folder.path().join("other")).unwrap();
        std::fs::write(&elsewhere, &whole).unwrap();
        assert!(matches!(check(&elsewhere, user), Err(BrokenSeal::Changed)));
        std::fs::write(&kept, &whole).unwrap();
        assert!(check(&kept, user).is_ok());
        assert!(matches!(check(&kept, user + 1), Err(BrokenSeal::Foreign(_))));
        assert!(matches!(check(&folder.path().join("none.cwasm"), user), Err(BrokenSeal::Unreadable(_))));
    }
}
