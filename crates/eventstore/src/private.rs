//! Files and folders that only their owner can access: files have mode 0600, folders 0700. To give others access, copy
//! the files.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// The mode of a new folder.
const FOLDER_MODE: u32 = 0o700;
/// The mode of a file.
pub(crate) const FILE_MODE: u32 = 0o600;
/// The permission bits of everybody except the owner.
const OTHERS: u32 = 0o077;

/// Creates a folder and its missing parents, for the owner only, and syncs each new entry. An existing folder is not
/// changed.
///
/// # Errors
/// A folder cannot be created.
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

/// Syncs the entries of a folder.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Creates and syncs an empty file for the owner only. An existing file is not changed.
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

/// Opens an empty file for writing that only its owner can read; an existing file is truncated.
///
/// # Errors
/// The file cannot be created or opened.
pub fn emptied(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(true).write(true).mode(FILE_MODE).open(path)?;
    keep_from_others(path)?;
    Ok(file)
}

/// Removes all permissions except the owner's. A missing file, or another user's, is not changed.
///
/// # Errors
/// The mode can be neither read nor set.
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

/// Applies [`keep_from_others`] to a SQLite file and to the files beside it. New files get the mode of the database.
///
/// # Errors
/// As for [`keep_from_others`].
pub fn keep_database_from_others(path: &Path) -> io::Result<()> {
    database(path).iter().try_for_each(|file| keep_from_others(file))
}

/// The paths of a SQLite file and of the files that it may have beside it.
#[must_use]
pub fn database(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| {
        let mut name = path.to_owned().into_os_string();
        name.push(suffix);
        name.into()
    })
}
