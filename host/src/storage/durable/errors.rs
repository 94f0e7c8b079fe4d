//! What can go wrong in a tenant's file, in the words of `StorageError`.

use std::any::Any;
use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::storage::{StorageError, StorageErrorKind};

/// What failed, before anybody has said of which file.
#[derive(Debug)]
pub enum Failure {
    Store(redb::Error),
    /// What the store itself finds in order and we do not.
    Corrupt(String),
    Newer(String),
}

impl<E: Into<redb::Error>> From<E> for Failure {
    fn from(why: E) -> Self {
        Self::Store(why.into())
    }
}

impl Failure {
    fn kind(&self) -> StorageErrorKind {
        match self {
            Self::Store(why) => kind(why),
            Self::Corrupt(_) => StorageErrorKind::Corrupt,
            Self::Newer(_) => StorageErrorKind::Newer,
        }
    }

    /// Names the file.
    pub fn of(self, file: &impl Display) -> StorageError {
        let kind = self.kind();
        let message = match self {
            Self::Store(redb::Error::DatabaseAlreadyOpen) => format!("{file} is in use by another process"),
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
            // The store's word for a file that is none of its own; and a file that ends where it should go on.
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => StorageErrorKind::Corrupt,
            _ => StorageErrorKind::Io,
        },
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => StorageErrorKind::InUse,
        redb::Error::PreviousIo | redb::Error::DatabaseClosed | redb::Error::Backend(_) => StorageErrorKind::Io,
        _ => StorageErrorKind::Corrupt,
    }
}

/// An error of the file system, about this file.
pub fn of_io(why: io::Error, file: &impl Display) -> StorageError {
    Failure::from(redb::StorageError::Io(why)).of(file)
}

/// Runs what uses the store, which trusts the pages of a file that was closed in order and panics where one of them is
/// not what it must be: the tenant's file is damaged, and nobody else's.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let done = catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|panic| Err(Failure::Corrupt(words_of(panic.as_ref()))))
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
        let io = |kind| Failure::from(redb::StorageError::Io(kind));
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
