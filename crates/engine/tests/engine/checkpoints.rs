//! Notebooks: what was noted is found again; whatever else stands there counts as nothing.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
};

use switchboard_engine::checkpoint::Checkpoint;

const BEGINNING: (u64, Vec<u32>) = (0, Vec::new());

#[test]
fn what_was_noted_last_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::new(folder.path(), "linkage", 1);
    assert_eq!(checkpoint.read::<Vec<u32>>(100), BEGINNING, "nothing was noted yet");
    checkpoint.write(7, &vec![1_u32, 2]).unwrap();
    checkpoint.write(9, &vec![3_u32]).unwrap();
    assert_eq!(checkpoint.read::<Vec<u32>>(9), (9, vec![3]));
    assert_eq!(Checkpoint::new(folder.path(), "other", 1).read::<Vec<u32>>(9), BEGINNING);
}

#[test]
fn a_notebook_of_another_version_or_ahead_of_the_log_is_folded_anew() {
    let folder = tempfile::tempdir().unwrap();
    Checkpoint::new(folder.path(), "linkage", 1).write(7, &vec![1_u32]).unwrap();
    assert_eq!(Checkpoint::new(folder.path(), "linkage", 2).read::<Vec<u32>>(100), BEGINNING);
    let same = Checkpoint::new(folder.path(), "linkage", 1);
    assert_eq!(same.read::<Vec<u32>>(6), BEGINNING, "the log was put back to an earlier copy");
    assert_eq!(same.read::<Vec<u32>>(7), (7, vec![1]));
}

#[test]
fn garbage_in_a_notebook_is_folded_anew() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::new(folder.path(), "linkage", 1);
    checkpoint.write(7, &vec![1_u32]).unwrap();
    let path = folder.path().join("linkage.json");
    let whole = fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(checkpoint.read::<Vec<u32>>(100), BEGINNING, "cut at {cut}");
    }
    fs::write(&path, b"\xff\x00 no checkpoint").unwrap();
    assert_eq!(checkpoint.read::<Vec<u32>>(100), BEGINNING);
    fs::write(&path, br#"{"version":1,"position":7,"process":{"another":"form"}}"#).unwrap();
    assert_eq!(checkpoint.read::<Vec<u32>>(100), BEGINNING);
}

#[test]
fn a_page_that_cannot_be_written_leaves_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::new(folder.path(), "linkage", 1);
    checkpoint.write(7, &vec![1_u32]).unwrap();
    fs::create_dir(folder.path().join("linkage.draft")).unwrap();
    assert!(checkpoint.write(9, &vec![2_u32]).is_err());
    assert_eq!(checkpoint.read::<Vec<u32>>(100), (7, vec![1]));
}

#[test]
fn a_notebook_is_its_owners_alone_and_so_is_one_that_others_could_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("linkage.json");
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    let checkpoint = Checkpoint::new(folder.path(), "linkage", 1);
    // What an earlier version left behind when it was cut off.
    fs::write(folder.path().join("linkage.draft"), b"half a page").unwrap();
    checkpoint.write(7, &vec![1_u32]).unwrap();
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(checkpoint.read::<Vec<u32>>(100), (7, vec![1]));
    assert_eq!(mode(), 0o600);
}
