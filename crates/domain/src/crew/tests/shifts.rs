//! Shifts, absences and the track: who may act for a crew, and the permitted order.

use chrono::TimeDelta;

use super::story::*;
use crate::{
    Problem, Violation,
    crew::{
        Absence, Break, Command, Point, Rejection, ReleaseReason,
        decide::{BREAKS_MAX, SHIFT_HOURS_MAX},
        event,
    },
    ticket::tests::{
        sample::{CREW, CREW4, LIANGZHU, NATION, NB, org, ticket_id},
        story::clock,
    },
};

fn locate(at: Point) -> Command {
    Command::Locate { at, accuracy_m: 10 }
}

fn away(why: Absence) -> Command {
    Command::GoAway { why }
}

#[test]
fn one_of_the_crew_or_a_unit_above_speaks_for_it() {
    for unit in [CREW, LIANGZHU, NATION] {
        given([enrolled()]).by(unit).when(start_shift()).then(shift_started());
    }
    let words = [start_shift(), Command::EndShift, away(Absence::Ill), Command::ComeBack, locate(site())];
    for unit in [CREW4, NB] {
        for word in &words {
            let why = Rejection::NotTheCrew { actor: org(unit) };
            given([enrolled()]).by(unit).when(word.clone()).refused(why);
        }
    }
}

#[test]
fn a_shift_begins_at_home_or_where_the_crew_is_and_ends() {
    let story = given([enrolled()]).when(start_shift()).then(shift_started());
    let began = clock(21, "09:01");
    assert_eq!(story.crew().located, Some((home(), began)));
    assert_eq!(story.crew().shift.as_ref().map(|shift| (shift.since, shift.until)), Some((began, evening())));
    let story = story.when(start_shift()).refused(Rejection::OnShift { until: evening() });
    let story = story.when(Command::EndShift).then(event::ShiftEnded {});
    let story = story.when(Command::EndShift).refused(Rejection::OffShift);
    let elsewhere = Command::StartShift { until: evening(), breaks: Vec::new(), at: Some(site()) };
    let story = story.when(elsewhere).accepted();
    assert_eq!(story.crew().located.map(|(at, _)| at), Some(site()));
}

#[test]
fn a_shift_does_not_end_while_work_is_under_way() {
    let story = on_shift().by_the_engine().when(commit(ticket_id(1), None)).accepted();
    let story = story.when(Command::EndShift).refused(Rejection::Committed { tickets: vec![ticket_id(1)] });
    let story = story.when(release(ticket_id(1), None, ReleaseReason::HandedOver)).accepted();
    story.when(Command::EndShift).accepted();
}

#[test]
fn a_shift_ends_also_while_an_offer_is_live_and_the_offer_may_still_come_to_something() {
    let story = on_shift().by_the_engine().when(reserve(1)).accepted();
    let story = story.when(Command::EndShift).then(event::ShiftEnded {});
    assert!(story.crew().reserved.is_some(), "the ticket's stream settles what becomes of it");
    story.clone().when(commit(ticket_id(1), Some(1))).accepted();
    story.when(release(ticket_id(1), Some(1), ReleaseReason::Withdrawn)).accepted();
}

#[test]
fn a_shift_is_a_day_at_most_and_its_breaks_lie_before_its_end() {
    let now = clock(21, "09:01");
    let shift = |until, breaks: Vec<Break>| Command::StartShift { until, breaks, at: None };
    let rest = |from, until| Break { from: clock(21, from), until: clock(21, until) };
    let ask = |command| given([enrolled()]).when(command);
    ask(shift(now, Vec::new())).invalid(Violation { field: "until", problem: Problem::InThePast });
    let yesterday = given([enrolled()]).by_the_device_at(now - TimeDelta::hours(9));
    yesterday.when(shift(now, Vec::new())).invalid(Violation { field: "until", problem: Problem::InThePast });
    let longest = now + TimeDelta::hours(SHIFT_HOURS_MAX);
    ask(shift(longest, Vec::new())).accepted();
    let too_far = Violation { field: "until", problem: Problem::TooFarAhead { days_max: 1 } };
    ask(shift(longest + TimeDelta::seconds(1), Vec::new())).invalid(too_far);
    ask(shift(evening(), vec![rest("12:00", "13:00"); BREAKS_MAX])).accepted();
    let too_many = Violation { field: "breaks", problem: Problem::TooMany { limit: BREAKS_MAX } };
    ask(shift(evening(), vec![rest("12:00", "13:00"); BREAKS_MAX + 1])).invalid(too_many);
    for wrong in [rest("12:00", "12:00"), rest("13:00", "12:00"), rest("16:30", "17:30")] {
        ask(shift(evening(), vec![wrong])).invalid(Violation::contradicts("breaks", "until"));
    }
}

#[test]
fn a_crew_goes_away_for_a_reason_and_comes_back() {
    let story = on_shift().when(Command::ComeBack).refused(Rejection::Unchanged);
    let story = story.when(away(Absence::Vehicle)).then(event::WentAway { why: Absence::Vehicle });
    let story = story.when(away(Absence::Vehicle)).refused(Rejection::Unchanged);
    let story = story.when(away(Absence::Ill)).then(event::WentAway { why: Absence::Ill });
    assert_eq!(story.crew().away, Some(Absence::Ill));
    let story = story.when(Command::ComeBack).then(event::CameBack {});
    assert_eq!(story.crew().away, None);
    given([enrolled()]).when(away(Absence::Rest)).refused(Rejection::OffShift);
}

#[test]
fn an_absence_ends_with_its_shift() {
    let story = on_shift().when(away(Absence::Rest)).accepted().when(Command::EndShift).accepted();
    assert_eq!(story.crew().away, None);
    story.when(Command::ComeBack).refused(Rejection::Unchanged);
}

#[test]
fn the_track_is_kept_while_on_shift_and_a_late_point_does_not_move_the_crew_back() {
    given([enrolled()]).when(locate(site())).refused(Rejection::OffShift);
    let story = on_shift();
    let now = story.now;
    let story = story.when(locate(site())).then(event::Located { at: site(), accuracy_m: 10 });
    assert_eq!(story.crew().located, Some((site(), now)));
    let late = story.by_the_device_at(now - TimeDelta::seconds(1)).when(locate(home())).accepted();
    assert_eq!(late.crew().located, Some((site(), now)));
}

#[test]
fn a_position_off_the_planet_and_a_clock_that_runs_ahead_are_named() {
    let off = Point { latitude_e6: 0, longitude_e6: -180_000_001 };
    let form = "latitude -90 to 90 and longitude -180 to 180 degrees";
    on_shift().when(locate(off)).invalid(Violation::malformed("at", form));
    let lost = Command::StartShift { until: evening(), breaks: Vec::new(), at: Some(off) };
    given([enrolled()]).when(lost).invalid(Violation::malformed("at", form));
    let story = on_shift();
    let ahead = story.now + TimeDelta::minutes(6);
    let future = Violation { field: "occurred_at", problem: Problem::InTheFuture };
    let story = story.by_the_device_at(ahead).when(locate(site())).invalid(future);
    let near = story.now + TimeDelta::minutes(5);
    story.by_the_device_at(near).when(locate(site())).accepted();
}
