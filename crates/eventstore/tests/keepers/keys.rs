//! Sealing keys: one per subject, durable before use, never used for two subjects, destroyed by an erasure.

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use switchboard_eventstore::keys::{Key, KeyError, KeyId, KeyStore, MemoryKeys, POOL_KEYS_MAX, SqliteKeys};

fn each(test: impl Fn(&dyn KeyStore)) {
    test(&MemoryKeys::new().unwrap());
    let folder = tempfile::tempdir().unwrap();
    test(&SqliteKeys::open(folder.path()).unwrap());
}

/// A copy of the folder as a crash would leave it: everything synced so far is there, and nothing was closed.
fn crashed(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in ["keys.db", "keys.db-wal"] {
        std::fs::copy(folder.join(file), copy.path().join(file)).unwrap();
    }
    copy
}

#[test]
fn a_subject_has_one_key_and_no_two_subjects_share_one() {
    each(|keys| {
        let mut seen = HashSet::new();
        for n in 0..POOL_KEYS_MAX * 3 {
            let (id, key) = keys.assign(&format!("subject {n}")).unwrap();
            assert!(seen.insert((id, *key.as_bytes())), "handed out twice");
            assert_eq!(keys.assign(&format!("subject {n}")).unwrap(), (id, key.clone()));
            assert_eq!(keys.key(id).unwrap(), Some(key));
        }
        let distinct: HashSet<_> = seen.iter().map(|(_, key)| key).collect();
        assert_eq!(distinct.len(), seen.len());
        assert_eq!(keys.key(KeyId(u64::MAX)).unwrap(), None);
        assert_eq!(keys.secret(), keys.secret());
    });
}

#[test]
fn an_erased_subject_has_no_key_and_begins_anew() {
    each(|keys| {
        let (id, key) = keys.assign("someone").unwrap();
        let (other, kept) = keys.assign("someone else").unwrap();
        assert_eq!(keys.erase("someone").unwrap(), 1);
        assert_eq!(keys.key(id).unwrap(), None);
        assert_eq!(keys.erase("someone").unwrap(), 0);
        let (again, fresh) = keys.assign("someone").unwrap();
        assert!(again != id && fresh != key);
        assert_eq!(keys.key(other).unwrap(), Some(kept));
        keys.flush().unwrap();
        assert_eq!(keys.erase("someone").unwrap(), 1);
        assert_eq!((keys.key(id).unwrap(), keys.key(again).unwrap()), (None, None));
    });
}

#[test]
fn a_subject_without_a_name_is_refused() {
    each(|keys| {
        assert!(matches!(keys.assign(""), Err(KeyError::InvalidSubject { .. })));
        assert!(matches!(keys.assign(&"x".repeat(257)), Err(KeyError::InvalidSubject { .. })));
    });
}

#[test]
fn a_key_does_not_show_itself() {
    assert_eq!(format!("{:?}", Key::from_bytes([7; 32])), "Key(..)");
}

#[test]
fn a_clean_close_keeps_everything_and_wastes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let keys = SqliteKeys::open(folder.path()).unwrap();
    let secret = keys.secret();
    let mut given = HashMap::new();
    for n in 0..100 {
        given.insert(format!("s{n}"), keys.assign(&format!("s{n}")).unwrap());
    }
    drop(keys);
    let mode = folder.path().join("keys.db").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let keys = SqliteKeys::open(folder.path()).unwrap();
    assert_eq!(keys.secret(), secret);
    assert!(keys.orphaned().unwrap().is_empty());
    for (subject, (id, key)) in &given {
        assert_eq!(keys.key(*id).unwrap().as_ref(), Some(key), "{subject}");
    }
    let highest = given.values().map(|(id, _)| id.0).max().unwrap();
    assert!(keys.assign("new").unwrap().0.0 <= highest + POOL_KEYS_MAX as u64, "the old pool is used up first");
}

#[test]
fn after_a_crash_no_key_is_handed_out_twice_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let keys = SqliteKeys::open(folder.path()).unwrap();
    let mut before = HashMap::new();
    for n in 0..40 {
        before.insert(format!("s{n}"), keys.assign(&format!("s{n}")).unwrap());
    }
    keys.flush().unwrap();
    for n in 40..80 {
        before.insert(format!("s{n}"), keys.assign(&format!("s{n}")).unwrap());
    }
    let after = crashed(folder.path());
    let keys = SqliteKeys::open(after.path()).unwrap();
    let orphaned: HashSet<_> = keys.orphaned().unwrap().into_iter().collect();
    assert!(!orphaned.is_empty());
    let used: HashSet<_> = before.values().map(|(id, _)| *id).collect();
    for n in 0..200 {
        let subject = format!("s{n}");
        let (id, key) = keys.assign(&subject).unwrap();
        match before.get(&subject) {
            Some((old, material)) => {
                assert_eq!(keys.key(*old).unwrap().as_ref(), Some(material), "what was sealed can be opened");
                assert!(!used.contains(&id) && key != *material, "handed out twice");
                assert!(
                    n >= 40 || keys.erase(&subject).unwrap() == 2,
                    "an erasure destroys the flushed and the new key"
                );
                assert!(n >= 40 || keys.key(*old).unwrap().is_none());
            }
            None => assert!(!used.contains(&id) && !orphaned.contains(&id), "handed out twice"),
        }
    }
}

#[test]
fn an_adopted_stray_is_found_by_an_erasure() {
    let folder = tempfile::tempdir().unwrap();
    let keys = SqliteKeys::open(folder.path()).unwrap();
    let (id, key) = keys.assign("someone").unwrap();
    let after = crashed(folder.path());
    let keys = SqliteKeys::open(after.path()).unwrap();
    if !keys.orphaned().unwrap().contains(&id) {
        return; // The assignment was written down before the copy was taken.
    }
    assert_eq!(keys.key(id).unwrap(), Some(key));
    assert!(keys.adopt(id, "someone").unwrap());
    assert!(!keys.adopt(id, "another").unwrap(), "a orphaned key is adopted once");
    let (second, _) = keys.assign("someone else").unwrap();
    assert!(!keys.adopt(second, "someone").unwrap(), "only orphaned are adopted");
    assert_eq!(keys.erase("someone").unwrap(), 1);
    assert_eq!(keys.key(id).unwrap(), None);
}

#[test]
fn erased_material_is_nowhere_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let keys = SqliteKeys::open(folder.path()).unwrap();
    let (_, key) = keys.assign("someone").unwrap();
    keys.flush().unwrap();
    let holds = || {
        std::fs::read_dir(folder.path()).unwrap().any(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(32).any(|window| window == key.as_bytes())
        })
    };
    assert!(holds());
    keys.erase("someone").unwrap();
    assert!(!holds());
    assert!(!folder.path().join("log.db").exists());
}

#[test]
fn many_threads_agree_on_the_keys_of_the_same_subjects() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Arc::new(SqliteKeys::open(folder.path()).unwrap());
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let keys = keys.clone();
            std::thread::spawn(move || {
                let name = |n: usize| format!("s{}", (n * 7 + thread * 131) % 1500);
                (0..1500).map(|n| (name(n), keys.assign(&name(n)).unwrap().0)).collect::<HashMap<_, _>>()
            })
        })
        .collect();
    let maps: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(maps.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(maps[0].values().collect::<HashSet<_>>().len(), 1500);
}

#[test]
fn a_copy_of_the_keys_opens_what_they_sealed() {
    let (folder, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let keys = SqliteKeys::open(folder.path()).unwrap();
    let (id, key) = keys.assign("someone").unwrap();
    let file = target.path().join("keys.db");
    keys.backup(&file).unwrap();
    assert!(matches!(keys.backup(&file), Err(KeyError::Unavailable(_))));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let copy = SqliteKeys::open(target.path()).unwrap();
    assert_eq!(copy.secret(), keys.secret());
    assert_eq!(copy.key(id).unwrap(), Some(key));
    let (fresh, _) = copy.assign("new").unwrap();
    assert_ne!(keys.assign("other new").unwrap().0, fresh, "the copy does not hand out the original's pool");
}
