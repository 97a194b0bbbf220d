//! The roster of simulated crews: those of the generated city, and those that stand for the crews of recorded outages.
//! It also answers which unit has a crew for a ticket. Absent: shifts, and the actions of the crews.

use std::collections::{BTreeMap, BTreeSet};

use switchboard_wire::proto::{self as pb, Skill};
use thiserror::Error;
use uuid::Uuid;

use super::course::km;
use crate::{
    Timestamp,
    city::{CITY, City},
    outage::Outage,
};

/// The most crews of one roster.
pub const CREWS_MAX: usize = 10_000;
/// The number of path segments of regions, cities and stations. A fault is dispatched to a city or a lower unit.
const REGION_DEPTH: usize = 2;
const CITY_DEPTH: usize = 3;
const STATION_DEPTH: usize = 5;

/// A simulated crew as its desk enrols it.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The crew's path, of six segments.
    pub crew: String,
    /// The position of its home.
    pub home: pb::Position,
    /// The unit whose tickets it works on.
    pub territory: String,
    /// Its skills.
    pub skills: Vec<Skill>,
}

/// There are fewer crews than regions that need one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{crews} crews are too few for the {regions} regions of these outages: name at least {regions}")]
pub struct TooFew {
    crews: usize,
    regions: usize,
}

impl Member {
    /// True if the crew has that skill.
    #[must_use]
    pub fn can(&self, skill: Skill) -> bool {
        self.skills.contains(&skill)
    }

    /// Builds the request that enrols it. Each request has a new id, because the roster may have changed since the last
    /// enrolment.
    #[must_use]
    pub fn enrolment(&self, now: Timestamp) -> pb::EnrolCrewRequest {
        let name = format!("enrol/{}/{}", self.crew, now.timestamp_micros());
        let staff = self.crew.replace('/', ".");
        pb::EnrolCrewRequest {
            request_id: Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string(),
            crew: self.crew.clone(),
            home: Some(self.home),
            territory: vec![self.territory.clone()],
            skills: self.skills.iter().map(|skill| (*skill).into()).collect(),
            members: (1..=2).map(|nth| format!("{staff}.{nth}")).collect(),
            vehicle: Some(format!("van-{}", self.crew.rsplit('/').next().unwrap_or_default())),
        }
    }
}

/// Returns up to `crews` crews of the city, distributed over the stations in turn, at most `CREWS_MAX`. The first
/// crew of a station has every skill, so each station with a crew can serve high voltage. The others have low voltage,
/// power quality, metering and customer side.
#[must_use]
pub fn of_city(city: &City, crews: usize) -> Vec<Member> {
    let stations = city.stations();
    let member = |nth: usize| {
        let (station, home) = stations.get(nth % stations.len())?;
        Some(Member {
            crew: format!("{station}/crew-{}", nth / stations.len() + 1),
            home: *home,
            territory: CITY.to_owned(),
            skills: skills(nth < stations.len()),
        })
    };
    (0..crews.min(CREWS_MAX)).filter_map(member).collect()
}

fn skills(everything: bool) -> Vec<Skill> {
    if everything {
        vec![
            Skill::HighVoltage,
            Skill::LowVoltage,
            Skill::PowerQuality,
            Skill::Metering,
            Skill::Cable,
            Skill::CustomerSide,
        ]
    } else {
        vec![Skill::LowVoltage, Skill::PowerQuality, Skill::Metering, Skill::CustomerSide]
    }
}

/// Returns crews that stand for those of the recorded outages: the busiest of each region, then the busiest of all. The
/// home of each is the mean position of its outages. The busiest crew of each city has every skill.
///
/// # Errors
/// When there are fewer crews than regions, because some outages could then never be offered.
pub fn of_outages<'o>(outages: impl IntoIterator<Item = &'o Outage>, crews: usize) -> Result<Vec<Member>, TooFew> {
    let mut troubles: BTreeMap<&str, Vec<pb::Position>> = BTreeMap::new();
    for outage in outages {
        if let (Some(crew), Some(at)) = (outage.crew(), outage.position()) {
            troubles.entry(crew).or_default().push(at);
        }
    }
    let mut busiest: Vec<(&str, &Vec<pb::Position>)> = troubles.iter().map(|(crew, at)| (*crew, at)).collect();
    busiest.sort_by_key(|(crew, at)| (usize::MAX - at.len(), *crew));
    let mut regions = BTreeSet::new();
    // The sort is stable: the first crew of each region moves to the front, and all others keep their order.
    let mut ranked: Vec<(bool, _)> =
        busiest.into_iter().map(|(c, at)| (!regions.insert(above(c, REGION_DEPTH)), (c, at))).collect();
    ranked.sort_by_key(|(later, _)| *later);
    if crews < regions.len() {
        return Err(TooFew { crews, regions: regions.len() });
    }
    let mut cities = BTreeSet::new();
    let member = |(_, (crew, at)): (bool, (&str, &Vec<pb::Position>))| Member {
        crew: crew.to_owned(),
        home: middle(at),
        territory: crew.split('/').next().unwrap_or(crew).to_owned(),
        skills: skills(cities.insert(above(crew, CITY_DEPTH).to_owned())),
    };
    Ok(ranked.into_iter().take(crews.min(CREWS_MAX)).map(member).collect())
}

/// Returns the prefix of a path with that many segments.
fn above(path: &str, segments: usize) -> &str {
    path.match_indices('/').nth(segments - 1).map_or(path, |(end, _)| &path[..end])
}

fn middle(of: &[pb::Position]) -> pb::Position {
    let count = i64::try_from(of.len()).unwrap_or(i64::MAX).max(1);
    let mean = |part: fn(&pb::Position) -> i32| {
        let sum: i64 = of.iter().map(|at| i64::from(part(at))).sum();
        i32::try_from(sum / count).unwrap_or_default()
    };
    pb::Position { latitude_e6: mean(|at| at.latitude_e6), longitude_e6: mean(|at| at.longitude_e6) }
}

/// Returns the unit that a recorded outage is dispatched to: the lowest unit around it, from station to city, that
/// contains a crew with every skill. If its city has none, it is the city of the nearest such crew.
#[must_use]
pub fn unit_for<'r>(roster: &'r [Member], outage: &'r Outage) -> Option<&'r str> {
    let crew = outage.crew()?;
    let own = (CITY_DEPTH..=STATION_DEPTH).rev().map(|depth| above(crew, depth)).find(|unit| serves(roster, unit));
    let at = outage.position();
    let far = |member: &Member| at.map_or(0.0, |at| km(member.home, at));
    let nearest = || {
        let able = roster.iter().filter(|member| member.can(Skill::HighVoltage));
        let nearest = able.min_by(|a, b| far(a).total_cmp(&far(b)))?;
        Some(above(&nearest.crew, CITY_DEPTH))
    };
    own.or_else(nearest)
}

/// True if the unit contains a crew with the skill for high voltage, which has every skill.
#[must_use]
pub fn serves(roster: &[Member], unit: &str) -> bool {
    let within = |crew: &str| crew.strip_prefix(unit).is_some_and(|rest| rest.starts_with('/'));
    roster.iter().any(|member| member.can(Skill::HighVoltage) && within(&member.crew))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outage(crew: &str, latitude_e6: i32) -> Outage {
        Outage {
            business_type: pb::BusinessType::FaultRepair,
            route: vec![crew.to_owned()],
            latitude_e6: Some(latitude_e6),
            longitude_e6: Some(-120_000_000),
            ..Outage::default()
        }
    }

    #[test]
    fn the_citys_crews_have_paths_of_six_segments_and_every_station_with_a_crew_one_for_everything() {
        let roster = of_city(&City::new(1), 14);
        assert_eq!(roster.len(), 14);
        assert_eq!(roster.iter().map(|member| &member.crew).collect::<BTreeSet<_>>().len(), 14);
        for member in &roster {
            assert_eq!(member.crew.split('/').count(), 6, "{}", member.crew);
            let station = member.crew.rsplit_once('/').unwrap().0;
            assert!(serves(&roster, station), "{station}");
            assert!(member.can(Skill::LowVoltage));
        }
        assert!(serves(&roster, CITY) && !serves(&roster, "sgcc/zj/h") && !serves(&[], CITY));
    }

    #[test]
    fn every_enrolment_is_a_request_of_its_own_with_the_same_content() {
        let member = &of_city(&City::new(1), 1)[0];
        let [first, second] = [0, 1].map(|second| member.enrolment(Timestamp::from_timestamp(second, 0).unwrap()));
        assert_ne!(first.request_id, second.request_id);
        assert_eq!(pb::EnrolCrewRequest { request_id: second.request_id.clone(), ..first }, second);
    }

    #[test]
    fn recorded_crews_are_spread_over_all_regions_before_the_busiest_get_more() {
        let busy = ["bc/north/a/ops/field/crew-1", "bc/north/a/ops/field/crew-2", "bc/south/b/ops/field/crew-1"];
        let mut outages: Vec<Outage> = Vec::new();
        for (crew, count) in busy.iter().zip([9, 7, 2]) {
            outages.extend((0..count).map(|nth| outage(crew, 50_000_000 + nth * 1000)));
        }
        let roster = of_outages(&outages, 2).unwrap();
        let crews: Vec<&str> = roster.iter().map(|member| member.crew.as_str()).collect();
        assert_eq!(crews, [busy[0], busy[2]]);
        assert_eq!(roster[0].home.latitude_e6, 50_004_000);
        assert_eq!(of_outages(&outages, 9).unwrap().len(), 3);
        let refused = of_outages(&outages, 1).unwrap_err();
        assert!(refused.to_string().contains("at least 2"), "{refused}");
    }

    #[test]
    fn an_outage_goes_to_the_lowest_unit_around_it_with_a_crew_for_everything_or_to_the_nearest_city_that_has_one() {
        let known =
            [outage("bc/north/a/ops/field/crew-1", 50_000_000), outage("bc/north/c/ops/field/crew-1", 58_000_000)];
        let roster = of_outages(&known, 2).unwrap();
        let unit = |crew: &str, latitude_e6| {
            let outage = outage(crew, latitude_e6);
            unit_for(&roster, &outage).map(str::to_owned)
        };
        assert_eq!(unit("bc/north/a/ops/field/crew-3", 50_000_000).as_deref(), Some("bc/north/a/ops/field"));
        assert_eq!(unit("bc/north/a/sea/pier/crew-1", 50_000_000).as_deref(), Some("bc/north/a"));
        assert_eq!(unit("bc/north/z/ops/field/crew-1", 51_000_000).as_deref(), Some("bc/north/a"));
        assert_eq!(unit("bc/north/z/ops/field/crew-1", 57_000_000).as_deref(), Some("bc/north/c"));
        assert_eq!(unit("bc/north/a/ops/field", 50_000_000), None, "no crew did the work");
    }

    #[test]
    fn an_outage_at_no_place_moves_no_crew_there() {
        let lost = Outage { longitude_e6: Some(0), ..outage("bc/north/a/ops/field/crew-1", 0) };
        let known = outage("bc/north/a/ops/field/crew-1", 50_000_000);
        let roster = of_outages([&lost, &known], 1).unwrap();
        assert_eq!(Some(roster[0].home), known.position());
        assert_eq!(unit_for(&roster, &lost), Some("bc/north/a/ops/field"));
    }

    #[test]
    fn of_the_recorded_crews_of_a_city_the_busiest_can_do_everything() {
        let mut outages = vec![outage("bc/north/a/ops/field/crew-1", 1); 3];
        outages.push(outage("bc/north/a/ops/field/crew-2", 1));
        let roster = of_outages(&outages, 2).unwrap();
        assert_eq!(roster.iter().map(|member| member.can(Skill::HighVoltage)).collect::<Vec<_>>(), [true, false]);
    }
}
