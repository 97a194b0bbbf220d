//! What its owner alone may read: the data folder, and the files in it that are made here and elsewhere. Users and groups that an
//! operator may want to admit are absent on purpose: a copy is made for them.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// The mode of a folder that is made.
const FOLDER_MODE: u32 = 0o700;
/// The mode of a file.
pub(crate) const FILE_MODE: u32 = 0o600;
/// What everybody but the owner may do.
const OTHERS: u32 = 0o077;

/// Creates a folder and what is missing above it, all of it for the owner alone, and makes each new entry durable. A folder that
/// exists stays as it is.
///
/// # Errors
/// When one cannot be made.
pub fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    create_folder(parent)?;
    match DirBuilder::new().mode(FOLDER_MODE).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        made => made?,
    }
    sync_folder(parent)
}

/// Makes a folder's entries durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Creates an empty file for the owner alone, durably; leaves an existing one as it is.
pub(crate) fn create_file(path: &Path) -> io::Result<()> {
    match OpenOptions::new().create_new(true).write(true).mode(FILE_MODE).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(file) => {
            file.sync_all()?;
            sync_folder(path.parent().unwrap_or(Path::new(".")))
        }
    }
}

/// Opens a file for writing that holds nothing and that its owner alone may read, whether it existed or not.
///
/// # Errors
/// When it cannot be made or opened.
pub fn emptied(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(true).write(true).mode(FILE_MODE).open(path)?;
    keep_from_others(path)?;
    Ok(file)
}

/// Takes a file from everybody but its owner. One that is not there, or that is another user's, stays as it is.
///
/// # Errors
/// When its mode can be neither read nor set.
pub fn keep_from_others(path: &Path) -> io::Result<()> {
    let kept = fs::metadata(path).and_then(|found| match found.permissions().mode() & OTHERS {
        0 => Ok(()),
        _ => fs::set_permissions(path, Permissions::from_mode(FILE_MODE)),
    });
    match kept {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => Ok(()),
        kept => kept,
    }
}

/// [Takes](keep_from_others) a SQLite file from others, with what SQLite keeps beside it; it gives new ones the mode of the file.
///
/// # Errors
/// As for [`keep_from_others`].
pub fn keep_database_from_others(path: &Path) -> io::Result<()> {
    database(path).iter().try_for_each(|file| keep_from_others(file))
}

/// A SQLite file, and the files that it may have beside it.
#[must_use]
pub fn database(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| {
        let mut name = path.to_owned().into_os_string();
        name.push(suffix);
        name.into()
    })
}
