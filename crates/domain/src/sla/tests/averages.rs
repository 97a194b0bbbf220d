//! Promises about a mean: the samples of each ticket, and whether the mean is within its limit.

use chrono::TimeDelta;

use super::tale::{Tale, at, by, in_words, on, reopened};
use crate::{
    Timestamp,
    organisation::Level,
    sla::{
        average::{Mean, Sample},
        clock_history::{FactName, Reading},
        policy::{Average, Title, When},
    },
    ticket::{
        Area, BusinessType, event,
        tests::sample::{
            CREW, CREW4, HZ, NATION, NB, ZJ, arrived, dispatched, merged, org, reassigned, restored, ticket_id,
            unmerged,
        },
    },
};

/// On site within 45 minutes on average over thirty days, per city.
fn average() -> Average {
    Average {
        id: "A05u".into(),
        title: Title { zh: "平均到达现场时长".into(), en: "mean time to arrive".into() },
        source: "an example".into(),
        hash: "hash".into(),
        when: When { business: vec![BusinessType::FaultRepair], area: vec![Some(Area::Urban)], ..When::default() },
        from: on(FactName::Received),
        to: on(FactName::CrewArrived),
        limit_seconds: 45 * 60,
        window_days: 30,
        level: Level::City,
    }
}

fn samples(tale: &Tale) -> Vec<String> {
    let line = |s: &Sample| format!("{} {} min until {}", s.unit, s.took.num_minutes(), in_words(s.ended));
    average().samples(&tale.clock_history()).iter().map(line).collect()
}

fn fault() -> Tale {
    Tale::fault(Some(Area::Urban), "10:00").and("10:01", dispatched(NATION, HZ)).and("10:05", dispatched(HZ, CREW))
}

#[test]
fn a_ticket_brings_what_it_took_to_the_unit_that_did_it() {
    assert_eq!(samples(&fault()), Vec::<String>::new(), "nobody has arrived yet");
    assert_eq!(samples(&fault().and("10:50", arrived(CREW))), ["sgcc/zj/hz 50 min until 10:50"]);
    let late = fault().late("10:30", "12:00", arrived(CREW));
    assert_eq!(
        samples(&late),
        ["sgcc/zj/hz 30 min until 10:30"],
        "by the crew's clock, not by when it was recorded_at"
    );
    let moved = fault().and("10:20", reassigned(CREW, NB)).and("10:50", arrived(CREW4));
    assert_eq!(samples(&moved), ["sgcc/zj/nb 50 min until 10:50"], "who held it at the end");
    let twice = fault().and("10:40", arrived(CREW)).and("10:45", arrived(CREW));
    assert_eq!(samples(&twice), ["sgcc/zj/hz 45 min until 10:45"], "to the last of them");
    let before = fault().late("09:55", "10:30", arrived(CREW));
    assert_eq!(samples(&before), Vec::<String>::new(), "nobody of the city held it then");
    let repair =
        Average { from: by(FactName::CrewArrived, Reading::Recorded), to: on(FactName::CrewRestored), ..average() };
    let fast = fault().late("10:20", "10:50", arrived(CREW)).late("10:40", "10:55", restored(CREW));
    assert_eq!(repair.samples(&fast.clock_history())[0].took, TimeDelta::zero(), "nothing takes less than no time");
}

#[test]
fn a_ticket_brings_nothing_that_is_not_meant_or_not_its_own() {
    let rural = fault().received_with(|e| e.place.area = Some(Area::Rural)).and("10:50", arrived(CREW));
    assert_eq!(samples(&rural), Vec::<String>::new());
    let found = fault().and("10:50", super::tale::arrived_in(Area::Rural));
    assert_eq!(samples(&found), Vec::<String>::new(), "the area found on site is the one that counts");
    let above = Tale::fault(Some(Area::Urban), "10:00").and("10:01", dispatched(NATION, ZJ)).and("10:50", arrived(ZJ));
    assert_eq!(samples(&above), Vec::<String>::new(), "it never came down to a city");
    let child = fault().and("10:40", arrived(CREW)).and("10:50", merged(ticket_id(9)));
    assert_eq!(samples(&child), Vec::<String>::new(), "its master brings it");
    let followed = event::MasterFollowed { master: ticket_id(9), restored: None };
    assert_eq!(samples(&child.clone().and("12:00", followed)), Vec::<String>::new());
    assert_eq!(samples(&child.and("11:00", unmerged(ticket_id(9)))), ["sgcc/zj/hz 40 min until 10:40"]);
    let none = crate::sla::clock_history::ClockHistory::new(ticket_id(1));
    assert_eq!(average().samples(&none), []);
}

#[test]
fn each_cycle_brings_its_own() {
    let average = Average { from: on(FactName::Dispatched), ..average() };
    let tale = fault()
        .and("10:31", arrived(CREW))
        .and("11:00", restored(CREW))
        .and("15:00", reopened())
        .and("15:10", dispatched(NATION, HZ))
        .and("15:30", arrived(CREW));
    let samples = average.samples(&tale.clock_history());
    let ends: Vec<_> = samples.iter().map(|s| (s.took.num_minutes(), in_words(s.ended))).collect();
    assert_eq!(ends, [(30, "10:31".to_owned()), (20, "15:30".to_owned())]);
}

fn sample(unit: &str, ended: &str, took: TimeDelta) -> Sample {
    Sample { unit: org(unit), ended: at(ended), took }
}

fn means(samples: &[Sample], now: Timestamp) -> Vec<(String, u64, i64, bool)> {
    let line = |m: Mean| (m.unit.to_string(), m.tickets, m.seconds, m.kept);
    average().means(samples.iter(), now).into_iter().map(line).collect()
}

#[test]
fn one_late_ticket_may_be_made_good_by_an_early_one() {
    let minutes = TimeDelta::minutes;
    let two = [sample(HZ, "10:00", minutes(60)), sample(HZ, "11:00", minutes(30))];
    assert_eq!(means(&two, at("12:00")), [(HZ.to_owned(), 2, 45 * 60, true)]);
    let three = [&two[..], &[sample(HZ, "11:30", minutes(45) + TimeDelta::milliseconds(1))]].concat();
    assert_eq!(means(&three, at("12:00")), [(HZ.to_owned(), 3, 45 * 60, false)], "kept to the millisecond");
    let units = [sample(NB, "10:00", minutes(50)), sample(HZ, "10:00", minutes(10))];
    assert_eq!(means(&units, at("12:00")), [(HZ.to_owned(), 1, 600, true), (NB.to_owned(), 1, 3_000, false)]);
    assert_eq!(means(&[], at("12:00")), []);
}

#[test]
fn a_mean_is_rounded_half_up() {
    let seconds = TimeDelta::seconds;
    let half = [sample(HZ, "10:00", seconds(10)), sample(HZ, "10:00", seconds(11))];
    assert_eq!(means(&half, at("12:00"))[0].2, 11);
    let third = [half[0].clone(), half[0].clone(), sample(HZ, "10:00", seconds(11))];
    assert_eq!(means(&third, at("12:00"))[0].2, 10);
}

#[test]
fn a_window_ends_now_and_begins_so_many_days_before() {
    let took = TimeDelta::minutes(1);
    let edges = [
        sample(HZ, "02-04 12:00", took),
        sample(HZ, "02-04 12:00:00.000001", took),
        sample(HZ, "12:00", took),
        sample(HZ, "12:00:00.000001", took),
    ];
    assert_eq!(means(&edges, at("12:00"))[0].1, 2, "its beginning is out, its end is in");
    assert_eq!(means(&edges, Timestamp::MIN_UTC), []);
    assert_eq!(means(&edges, Timestamp::MAX_UTC), []);
    let long = Average { window_days: u32::MAX, ..average() };
    assert_eq!(long.means(edges.iter(), at("12:00"))[0].tickets, 3);
}
