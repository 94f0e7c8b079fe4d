//! Files that nobody ever sees a part of: they are written under another name, and renamed when they are whole.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::{Builder, NamedTempFile, TempDir};

/// The extension of an unfinished file begins with this. One that a crash left behind is found by it.
pub const PARTIAL: &str = "tmp-";

/// What a program may do with its files by default; the process's umask takes away from it.
const FILE_MODE: u32 = 0o666;
const FOLDER_MODE: u32 = 0o777;
/// Only the user who runs the program reads and writes the file.
const PRIVATE_MODE: u32 = 0o600;

/// Begins a file that [`NamedTempFile::persist`] puts in its place; dropped before that, it is removed.
pub fn begin(file: &Path) -> io::Result<NamedTempFile> {
    beside(file, FILE_MODE, |builder, folder| builder.tempfile_in(folder))
}

/// Begins a file as [`begin`] does, which no other user can read.
pub fn begin_private(file: &Path) -> io::Result<NamedTempFile> {
    beside(file, PRIVATE_MODE, |builder, folder| builder.tempfile_in(folder))
}

/// Begins a folder beside the place that it is to have; dropped before it is renamed, it is removed with all that is in it.
pub fn begin_folder(place: &Path) -> io::Result<TempDir> {
    beside(place, FOLDER_MODE, |builder, folder| builder.tempdir_in(folder))
}

/// Writes a file so that nobody ever sees a part of it.
pub fn write_whole(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || {
        let mut partial = begin(file)?;
        partial.write_all(bytes)?;
        // Where the name is there, the file is whole, even after a power failure.
        partial.as_file().sync_data()?;
        partial.persist(file)?;
        io::Result::Ok(())
    };
    write().with_context(|| format!("cannot write {}", file.display()))
}

fn beside<T>(place: &Path, mode: u32, make: impl FnOnce(&Builder<'_, '_>, PathBuf) -> io::Result<T>) -> io::Result<T> {
    let partial = place.with_extension(PARTIAL);
    let name = partial.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let folder = match place.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = Builder::new();
    builder.prefix(name).permissions(Permissions::from_mode(mode));
    make(&builder, folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chat.wasm");
        let names = || {
            let entries = std::fs::read_dir(folder.path()).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
        };
        let mut partial = begin(&file).unwrap();
        partial.write_all(b"half").unwrap();
        let [name] = &names()[..] else { panic!("{:?}", names()) };
        assert!(Path::new(name).extension().unwrap().to_str().unwrap().starts_with(PARTIAL), "{name}");
        drop(partial);
        assert!(names().is_empty());
        write_whole(&file, b"old").unwrap();
        write_whole(&file, b"new").unwrap();
        assert_eq!((names(), std::fs::read(&file).unwrap()), (vec!["chat.wasm".to_owned()], b"new".to_vec()));
    }

    #[test]
    fn a_file_has_the_permissions_that_the_user_gives_to_files() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (whole, plain) = (folder.path().join("whole"), folder.path().join("plain"));
        write_whole(&whole, b"").unwrap();
        std::fs::write(&plain, b"").unwrap();
        assert_eq!(mode(&whole), mode(&plain));
        assert_eq!(mode(begin_private(&whole).unwrap().path()), 0o600);
    }
}
