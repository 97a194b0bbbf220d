//! Examples of the index of crew changes.

use super::*;

fn crew(n: u8) -> CrewId {
    CrewId::of(&OrgPath::parse(&format!("sgcc/zj/hz/yh/lz/c{n}")).unwrap()).unwrap()
}

fn ticket_of(n: u8) -> TicketId {
    TicketId(Uuid::from_bytes([n; 16]))
}

fn lines(crew_changes: &CrewChanges) -> Vec<String> {
    let mut lines = Vec::new();
    crew_changes.dump(&mut |line| lines.push(line.to_owned())).unwrap();
    lines
}

#[test]
fn crew_changes_are_found_by_crew_and_position_and_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let crew_changes = CrewChanges::open(folder.path()).unwrap();
    let at = Timestamp::from_timestamp(1_767_225_600, 1_000).unwrap();
    let standing =
        Standing { enrolled: true, shift_until: Some(at), kept: Point::new(30_000_000, -1).map(|p| (p, at)) };
    let step = Step {
        crew_changes: vec![(crew(1), 3, ticket_of(1)), (crew(2), 3, ticket_of(1)), (crew(1), 5, ticket_of(2))],
        crews: [(crew(1), Some(standing))].into(),
        live: [(ticket_of(1), true), (ticket_of(2), true)].into(),
    };
    crew_changes.keep(&step, 7).unwrap();
    let gone = Step { live: [(ticket_of(1), false), (ticket_of(9), false)].into(), ..Step::default() };
    crew_changes.keep(&gone, 9).unwrap();
    let before = lines(&crew_changes);
    drop(crew_changes);
    let crew_changes = CrewChanges::open(folder.path()).unwrap();
    assert_eq!(lines(&crew_changes), before);
    assert_eq!(crew_changes.after(&crew(1), 0, 10).unwrap(), (vec![(3, ticket_of(1)), (5, ticket_of(2))], 9));
    assert_eq!(crew_changes.after(&crew(1), 0, 1).unwrap(), (vec![(3, ticket_of(1))], 9));
    assert_eq!(crew_changes.after(&crew(1), 5, 10).unwrap(), (vec![], 9));
    assert_eq!(crew_changes.after(&crew(3), 0, 10).unwrap(), (vec![], 9));
    let resumed = crew_changes.resume().unwrap();
    assert_eq!(resumed.crews, [(crew(1), standing)].into(), "who was told something is not on the roster by that");
    assert_eq!((resumed.position, resumed.live), (9, vec![ticket_of(2)]));
}

#[test]
fn a_file_of_a_former_name_is_removed_with_everything_that_belongs_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let former = ["notices.db", "notices.db-wal", "notices.db-shm", "notices.damaged"];
    for name in former.iter().chain(&["views.db"]) {
        std::fs::write(folder.path().join(name), b"written by another version").unwrap();
    }
    drop(CrewChanges::open(folder.path()).unwrap());
    assert!(former.iter().all(|name| !folder.path().join(name).exists()));
    assert!(folder.path().join("views.db").exists(), "the file of another read model stays");
}

#[test]
fn a_step_that_is_offered_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let crew_changes = CrewChanges::open(folder.path()).unwrap();
    let step = Step {
        crew_changes: vec![(crew(1), 3, ticket_of(1))],
        crews: [(crew(1), Some(Standing { enrolled: true, ..Standing::default() }))].into(),
        live: [(ticket_of(1), true)].into(),
    };
    crew_changes.keep(&step, 3).unwrap();
    let before = lines(&crew_changes);
    crew_changes.keep(&step, 3).unwrap();
    assert_eq!(lines(&crew_changes), before);
}

#[test]
fn a_crew_that_leaves_the_roster_keeps_its_crew_changes() {
    let folder = tempfile::tempdir().unwrap();
    let crew_changes = CrewChanges::open(folder.path()).unwrap();
    let enrolled = Standing { enrolled: true, ..Standing::default() };
    let told = vec![(crew(1), 2, ticket_of(1))];
    crew_changes
        .keep(&Step { crew_changes: told, crews: [(crew(1), Some(enrolled))].into(), ..Step::default() }, 2)
        .unwrap();
    crew_changes.keep(&Step { crews: [(crew(1), None)].into(), ..Step::default() }, 3).unwrap();
    assert!(crew_changes.resume().unwrap().crews.is_empty());
    assert_eq!(crew_changes.after(&crew(1), 0, 10).unwrap().0.len(), 1);
    crew_changes.start_over().unwrap();
    assert_eq!(crew_changes.resume().unwrap(), Resumed::default());
}

#[test]
fn a_step_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let crew_changes = CrewChanges::open(folder.path()).unwrap();
    let told = |position| Step { crew_changes: vec![(crew(1), position, ticket_of(1))], ..Step::default() };
    crew_changes.keep(&told(2), 2).unwrap();
    let before = lines(&crew_changes);
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON live BEGIN SELECT RAISE(ABORT, 'refused'); END";
    Connection::open(folder.path().join("crew_changes.db")).unwrap().execute_batch(refuse).unwrap();
    let refused = Step { live: [(ticket_of(1), true)].into(), ..told(4) };
    assert!(crew_changes.keep(&refused, 4).is_err(), "after its crew_change was written");
    assert_eq!((lines(&crew_changes), crew_changes.checkpoint()), (before, 2));
}
