//! The roster: who may change it, what is valid, and when a crew may be dismissed.

use super::story::*;
use crate::{
    Problem, Violation,
    crew::{
        Command, CrewId, Event, Point, Rejection, ReleaseReason, Skill, Skills,
        command::Enrol,
        decide::{MEMBERS_MAX, NAME_BYTES_MAX, TERRITORY_MAX},
        event,
    },
    ticket::tests::sample::{CREW, CREW4, HZ, LIANGZHU, NATION, NB, org, ticket_id},
};

fn dismissed() -> Event {
    event::Dismissed {}.into()
}

#[test]
fn a_unit_above_the_crew_puts_it_on_the_roster() {
    for unit in [LIANGZHU, HZ, NATION] {
        let story = given([]).by(unit).when(enrol(entry())).then(enrolled());
        assert_eq!((&story.crew().id, story.crew().facts, story.crew().enrolled), (&id(), 1, true));
        assert_eq!(story.crew().shift, None);
    }
    for unit in [CREW, CREW4, NB] {
        let why = Rejection::NotAbove { actor: org(unit) };
        given([]).by(unit).when(enrol(entry())).refused(why.clone());
        given([enrolled()]).by(unit).when(Command::Dismiss).refused(why);
    }
}

#[test]
fn nothing_is_asked_of_a_crew_that_the_roster_does_not_know() {
    let commands =
        [Command::Dismiss, start_shift(), Command::EndShift, Command::ComeBack, reserve(1), commit(ticket_id(1), None)];
    for command in commands {
        for story in [given([]), given([enrolled(), dismissed()])] {
            story.by_the_engine().when(command.clone()).refused(Rejection::NotEnrolled);
        }
    }
}

#[test]
fn the_same_entry_again_is_unchanged_and_another_one_corrects_it() {
    let story = given([enrolled()]).when(enrol(entry())).refused(Rejection::Unchanged);
    let corrections: [fn(&mut Enrol); 5] = [
        |entry| entry.home = site(),
        |entry| entry.territory.push(org(HZ)),
        |entry| entry.skills = Skills::of(&[Skill::Cable]),
        |entry| entry.members.push("m3".into()),
        |entry| entry.vehicle = None,
    ];
    for correct in corrections {
        let mut other = entry();
        correct(&mut other);
        let corrected = story.clone().when(enrol(other.clone())).accepted();
        let crew = corrected.crew();
        assert_eq!((crew.home, &crew.territory, crew.skills), (other.home, &other.territory, other.skills));
        assert_eq!((&crew.members, &crew.vehicle), (&other.members, &other.vehicle));
        corrected.when(enrol(other)).refused(Rejection::Unchanged);
    }
}

#[test]
fn a_correction_leaves_shift_and_work_as_they_are() {
    let story = on_shift().by_the_engine().when(commit(ticket_id(1), None)).accepted();
    let before = story.crew().clone();
    let after = story.when(enrol(Enrol { vehicle: None, ..entry() })).accepted();
    assert_eq!((&after.crew().shift, &after.crew().commitments), (&before.shift, &before.commitments));
}

#[test]
fn a_crew_is_struck_off_and_may_be_enrolled_again() {
    let story = on_shift().when(Command::GoAway { why: crate::crew::Absence::Ill }).accepted();
    let story = story.when(Command::Dismiss).then(event::Dismissed {});
    assert_eq!((story.crew().enrolled, &story.crew().shift, story.crew().away), (false, &None, None));
    let story = story.when(enrol(entry())).then(enrolled());
    story.when(start_shift()).then(shift_started());
}

#[test]
fn a_crew_whose_time_is_taken_is_not_struck_off() {
    let reserved = on_shift().by_the_engine().when(reserve(1)).accepted();
    let story = reserved.when(Command::Dismiss).refused(Rejection::Reserved { offer: offer_id(1) });
    let story = story.when(commit(ticket_id(1), Some(1))).accepted();
    let story = story.when(Command::Dismiss).refused(Rejection::Committed { tickets: vec![ticket_id(1)] });
    story.when(release(ticket_id(1), None, ReleaseReason::Done)).accepted().when(Command::Dismiss).accepted();
}

#[test]
fn what_the_roster_cannot_say_is_named() {
    let too_many = |field, limit| Violation { field, problem: Problem::TooMany { limit } };
    let off = Point { latitude_e6: 90_000_001, longitude_e6: 0 };
    let cases: [(Enrol, Violation); 10] = [
        (
            Enrol { home: off, ..entry() },
            Violation::malformed("home", "latitude -90 to 90 and longitude -180 to 180 degrees"),
        ),
        (Enrol { territory: Vec::new(), ..entry() }, Violation::missing("territory")),
        (Enrol { territory: vec![org(HZ); TERRITORY_MAX + 1], ..entry() }, too_many("territory", TERRITORY_MAX)),
        (Enrol { territory: vec![org("csg/gd")], ..entry() }, Violation::contradicts("territory", "crew")),
        (Enrol { skills: Skills::NONE, ..entry() }, Violation::missing("skills")),
        (Enrol { members: vec!["m1".into(); MEMBERS_MAX + 1], ..entry() }, too_many("members", MEMBERS_MAX)),
        (
            Enrol { members: vec!["Zhang San".into()], ..entry() },
            Violation::malformed("members", "staff ids of letters, digits and ._-@:"),
        ),
        (
            Enrol { members: vec!["m".repeat(65)], ..entry() },
            Violation::malformed("members", "staff ids of letters, digits and ._-@:"),
        ),
        (Enrol { vehicle: Some(" ".into()), ..entry() }, Violation::missing("vehicle")),
        (
            Enrol { vehicle: Some("v".repeat(NAME_BYTES_MAX + 1)), ..entry() },
            Violation { field: "vehicle", problem: Problem::TooLong { limit: NAME_BYTES_MAX } },
        ),
    ];
    for (entry, violation) in cases {
        given([]).when(enrol(entry)).invalid(violation);
    }
    let most = Enrol {
        territory: vec![org(HZ); TERRITORY_MAX],
        members: vec!["m1".into(); MEMBERS_MAX],
        vehicle: Some("v".repeat(NAME_BYTES_MAX)),
        ..entry()
    };
    given([]).when(enrol(most)).accepted();
}

#[test]
fn a_crew_is_a_path_of_six_segments_and_its_stream_is_named_without_dash_or_slash() {
    assert_eq!(CrewId::of(&org(LIANGZHU)), None);
    let crew = CrewId::of(&org("sgcc/zj/hz/yu-hang/liang_zhu/crew-3")).unwrap();
    let name = crew.to_string();
    assert_eq!(name, "sgcc.zj.hz.yu~hang.liang_zhu.crew~3");
    assert_eq!(CrewId::parse(&name), Some(crew));
    for bad in ["", "sgcc.zj", "sgcc.zj.hz.yuhang.liangzhu.CREW"] {
        assert_eq!(CrewId::parse(bad), None, "{bad}");
    }
}

#[test]
fn a_crew_is_named_by_a_path_that_its_streams_name_gives_back() {
    let named = CrewId::of(&org("sgcc/zj/hz/yuhang/liang-zhu/crew-1")).unwrap();
    assert_eq!(named.to_string(), "sgcc.zj.hz.yuhang.liang~zhu.crew~1");
    assert_eq!(CrewId::parse(&named.to_string()), Some(named));
    assert_eq!(CrewId::of(&org(LIANGZHU)), None, "a station is no crew");
    let long = format!("sgcc/zj/hz/yuhang/liangzhu/{}", "c".repeat(120));
    assert_eq!(CrewId::of(&org(&long)), None, "a path that names no stream is no crew's");
}
