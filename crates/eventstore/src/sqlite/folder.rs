//! The data folder: created durably, and locked against a second process.
//!
//! The lock is an advisory `flock` on a file that is never removed. The system releases it when the process ends in any
//! way, so there is no stale lock to clean up. Breaking a lock is absent on purpose.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::OpenError;
use crate::{Cause, private};

/// A folder that this process has locked, while the value lives.
pub(super) struct Folder {
    path: PathBuf,
    _lock: Lock,
}

/// A held lock. It is released explicitly. Closing the file is not sufficient while a child process that is just
/// starting still has a copy of the descriptor.
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // If this fails, closing the file releases the lock a moment later.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

impl Folder {
    /// Locks a folder. Creates it first if it is absent and `create` is true.
    pub(super) fn claim(path: &Path, create: bool) -> Result<Self, OpenError> {
        if create {
            private::create_folder(path).map_err(unusable)?;
        }
        let mut options = OpenOptions::new();
        options.create(create).truncate(false).read(true).write(true).mode(private::FILE_MODE);
        let file = options.open(lock_path(path));
        let lock = match file {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(OpenError::Absent { path: log_path(path) });
            }
            file => file.map_err(unusable)?,
        };
        Ok(Self { path: path.to_owned(), _lock: hold(lock, path)? })
    }

    /// Locks a stopped store's folder for reading. A copy without a lock file needs no lock.
    pub(super) fn claim_to_read(path: &Path) -> Result<Option<Lock>, OpenError> {
        match File::open(lock_path(path)) {
            Ok(lock) => hold(lock, path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unusable(error)),
        }
    }

    pub(super) fn log(&self) -> PathBuf {
        log_path(&self.path)
    }
}

pub(super) fn log_path(folder: &Path) -> PathBuf {
    folder.join("log.db")
}

fn lock_path(folder: &Path) -> PathBuf {
    folder.join("lock")
}

fn hold(lock: File, folder: &Path) -> Result<Lock, OpenError> {
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Lock(lock)),
        Err(Errno::WOULDBLOCK) => Err(OpenError::Locked { folder: folder.to_owned() }),
        Err(error) => Err(unusable(error.into())),
    }
}

pub(super) fn unusable(error: io::Error) -> OpenError {
    OpenError::Unavailable(Cause::new(error))
}
