//! Errors of a tenant's file, and how they become a `StorageError`.

use std::any::Any;
use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::storage::{StorageError, StorageErrorKind};

/// An error of a file, without the file's name.
#[derive(Debug)]
pub enum FileError {
    Store(redb::Error),
    /// The store finds nothing wrong, but the content is not Parlor's.
    Corrupt(String),
    Newer(String),
}

impl<E: Into<redb::Error>> From<E> for FileError {
    fn from(why: E) -> Self {
        Self::Store(why.into())
    }
}

impl FileError {
    fn kind(&self) -> StorageErrorKind {
        match self {
            Self::Store(why) => kind(why),
            Self::Corrupt(_) => StorageErrorKind::Corrupt,
            Self::Newer(_) => StorageErrorKind::Newer,
        }
    }

    /// Adds the file's name.
    pub fn of(self, file: &impl Display) -> StorageError {
        let kind = self.kind();
        let message = match self {
            Self::Store(_) if kind == StorageErrorKind::InUse => format!("{file} is in use by another process"),
            Self::Store(redb::Error::Io(why)) if kind == StorageErrorKind::Full => {
                format!("no space for {file}: {why}")
            }
            Self::Store(why) if kind == StorageErrorKind::Corrupt => format!("{file} is damaged: {why}"),
            Self::Store(why) => format!("{file}: {why}"),
            Self::Corrupt(why) => format!("{file} is damaged: {why}"),
            Self::Newer(why) => format!("{file} {why}"),
        };
        StorageError { kind, message }
    }
}

fn kind(why: &redb::Error) -> StorageErrorKind {
    match why {
        redb::Error::Io(why) => match why.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => StorageErrorKind::Full,
            // The store says this of a file that is not its own, and of one that ends too early.
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => StorageErrorKind::Corrupt,
            // Another process holds the lock.
            ErrorKind::WouldBlock => StorageErrorKind::InUse,
            _ => StorageErrorKind::Io,
        },
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => StorageErrorKind::InUse,
        redb::Error::PreviousIo | redb::Error::DatabaseClosed | redb::Error::Backend(_) => StorageErrorKind::Io,
        _ => StorageErrorKind::Corrupt,
    }
}

/// Turns an error of the file system into one that names the file.
pub fn of_io(why: io::Error, file: &impl Display) -> StorageError {
    FileError::from(redb::StorageError::Io(why)).of(file)
}

/// Runs code that uses the store, and turns a panic into an error. The store trusts the pages of a file that was closed
/// properly, and panics on a damaged one; only this tenant's file is affected.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, FileError>) -> Result<T, FileError> {
    let done = catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|panic| Err(FileError::Corrupt(words_of(panic.as_ref()))))
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("the store gave up").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart_and_name_the_file() {
        let io = |kind| FileError::from(redb::StorageError::Io(kind));
        for (failure, kind) in [
            (io(io::Error::from(ErrorKind::StorageFull)), StorageErrorKind::Full),
            (io(io::Error::from_raw_os_error(5)), StorageErrorKind::Io),
            (io(io::Error::from(ErrorKind::UnexpectedEof)), StorageErrorKind::Corrupt),
            (redb::StorageError::Corrupted("x".to_owned()).into(), StorageErrorKind::Corrupt),
            (redb::StorageError::PreviousIo.into(), StorageErrorKind::Io),
            (redb::DatabaseError::DatabaseAlreadyOpen.into(), StorageErrorKind::InUse),
        ] {
            let error = failure.of(&"a.redb");
            assert_eq!(error.kind, kind);
            assert!(error.message.contains("a.redb"), "{error}");
        }
    }

    #[test]
    fn a_panic_of_the_store_is_a_damaged_file() {
        let error = guarded::<()>(|| panic!("page {}", 7)).unwrap_err().of(&"a.redb");
        assert_eq!((error.kind, error.message.as_str()), (StorageErrorKind::Corrupt, "a.redb is damaged: page 7"));
    }
}
