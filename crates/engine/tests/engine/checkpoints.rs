//! Checkpoints: a saved one is read again; any other contents of the file are ignored.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
};

use switchboard_domain::position::{LogId, LogPosition, Position};
use switchboard_engine::checkpoint::Checkpoint;
use uuid::Uuid;

const BEGINNING: (u64, Vec<u32>) = (0, Vec::new());

/// A position in the log that begins with this event.
fn of_log(first: u128, position: u64) -> LogPosition {
    let log = LogId::of(Uuid::from_u128(first), Position::from_stored(1));
    LogPosition { log, position: Position::from_stored(position) }
}

/// A position in the log of these tests.
fn at(position: u64) -> LogPosition {
    of_log(1, position)
}

#[test]
fn a_checkpoint_of_another_log_is_folded_anew() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::new(folder.path(), "linkage", 1);
    checkpoint.write(of_log(2, 7), &vec![1_u32]).unwrap();
    assert_eq!(checkpoint.read::<Vec<u32>>(at(100)), BEGINNING);
    assert_eq!(checkpoint.read::<Vec<u32>>(of_log(2, 100)), (7, vec![1]));
    // The form of an earlier version, which did not contain the id of the log.
    fs::write(folder.path().join("linkage.json"), br#"{"version":1,"position":7,"process":[1]}"#).unwrap();
    assert_eq!(checkpoint.read::<Vec<u32>>(at(100)), BEGINNING);
}

#[test]
fn what_was_saved_last_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::new(folder.path(), "linkage", 1);
    assert_eq!(checkpoint.read::<Vec<u32>>(at(100)), BEGINNING, "nothing was saved yet");
    checkpoint.write(at(7), &vec![1_u32, 2]).unwrap();
    checkpoint.write(at(9), &vec![3_u32]).unwrap();
    assert_eq!(checkpoint.read::<Vec<u32>>(at(9)), (9, vec![3]));
    assert_eq!(Checkpoint::new(folder.path(), "other", 1).read::<Vec<u32>>(at(9)), BEGINNING);
}

#[test]
fn a_checkpoint_of_another_version_or_ahead_of_the_log_is_folded_anew() {
    let folder = tempfile::tempdir().unwrap();
    Checkpoint::new(folder.path(), "linkage", 1).write(at(7), &vec![1_u32]).unwrap();
    assert_eq!(Checkpoint::new(folder.path(), "linkage", 2).read::<Vec<u32>>(at(100)), BEGINNING);
    let same = Checkpoint::new(folder.path(), "linkage", 1);
    assert_eq!(same.read::<Vec<u32>>(at(6)), BEGINNING, "the log was put back to an earlier copy");
    assert_eq!(same.read::<Vec<u32>>(at(7)), (7, vec![1]));
}

#[test]
fn garbage_in_a_checkpoint_is_folded_anew() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::new(folder.path(), "linkage", 1);
    checkpoint.write(at(7), &vec![1_u32]).unwrap();
    let path = folder.path().join("linkage.json");
    let whole = fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(checkpoint.read::<Vec<u32>>(at(100)), BEGINNING, "cut at {cut}");
    }
    fs::write(&path, b"\xff\x00 no checkpoint").unwrap();
    assert_eq!(checkpoint.read::<Vec<u32>>(at(100)), BEGINNING);
    fs::write(&path, br#"{"version":1,"position":7,"process":{"another":"form"}}"#).unwrap();
    assert_eq!(checkpoint.read::<Vec<u32>>(at(100)), BEGINNING);
}

#[test]
fn a_page_that_cannot_be_written_leaves_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::new(folder.path(), "linkage", 1);
    checkpoint.write(at(7), &vec![1_u32]).unwrap();
    fs::create_dir(folder.path().join("linkage.draft")).unwrap();
    assert!(checkpoint.write(at(9), &vec![2_u32]).is_err());
    assert_eq!(checkpoint.read::<Vec<u32>>(at(100)), (7, vec![1]));
}

#[test]
fn a_checkpoint_is_its_owners_alone_and_so_is_one_that_others_could_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("linkage.json");
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    let checkpoint = Checkpoint::new(folder.path(), "linkage", 1);
    // A temporary file that an earlier version left behind when it was killed.
    fs::write(folder.path().join("linkage.draft"), b"half a page").unwrap();
    checkpoint.write(at(7), &vec![1_u32]).unwrap();
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(checkpoint.read::<Vec<u32>>(at(100)), (7, vec![1]));
    assert_eq!(mode(), 0o600);
}
