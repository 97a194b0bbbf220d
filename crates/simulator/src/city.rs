//! A generated city and one day of its calls. Everything is drawn from one seed, so the same seed always gives the same
//! day. Absent: real persons, streets and numbers; and any state, because a household is generated again at each
//! request.

mod delays;
pub mod live;
mod scene;
mod stories;
pub(crate) mod words;

use chrono::{FixedOffset, NaiveDate, TimeDelta, TimeZone as _};
use rand::{
    RngExt as _, SeedableRng as _,
    rngs::StdRng,
    seq::{IndexedRandom as _, SliceRandom as _},
};
use switchboard_wire::proto as pb;

use self::delays::Weather;
pub use self::stories::Story;
use crate::{
    Timestamp,
    script::{Script, Source},
};

/// The path of the operator's national centre.
pub const NATION: &str = "sgcc";
/// The path of the province.
pub const PROVINCE: &str = "sgcc/zj";
/// The path of the city.
pub const CITY: &str = "sgcc/zj/hz";
/// The longest duration of a story. A day must lie at least this long in the past, because the server refuses times in
/// the future.
pub const STORY_MAX: TimeDelta = TimeDelta::days(14);
/// The most calls of one day.
pub const CALLS_MAX: u32 = 2_000_000;

/// Counties, each with its supply stations.
const COUNTIES: [(&str, [&str; 2]); 3] =
    [("yuhang", ["liangzhu", "pingyao"]), ("xiaoshan", ["linpu", "guali"]), ("linan", ["changhua", "taihuyuan"])];
const STATIONS: u32 = 6;
const CREWS_PER_STATION: u32 = 2;
const FEEDERS_PER_STATION: u32 = 4;
const TRANSFORMERS_PER_FEEDER: u32 = 6;
const HOUSEHOLDS_PER_TRANSFORMER: u32 = 60;
/// The number of households of the city.
pub const HOUSEHOLDS: u32 = STATIONS * FEEDERS_PER_STATION * TRANSFORMERS_PER_FEEDER * HOUSEHOLDS_PER_TRANSFORMER;

/// Relative call volume by hour of the day in China Standard Time: low at night, with a peak in the morning and one in
/// the evening.
const HOURS: [u32; 24] = [8, 6, 5, 4, 4, 6, 12, 25, 48, 62, 64, 55, 40, 46, 54, 56, 52, 50, 58, 66, 60, 44, 26, 14];

/// The time of a stormy day's storm, in seconds of the day.
const STORM: std::ops::Range<i64> = 16 * 3600..18 * 3600;
/// Additional calls of a stormy day, in percent of the ordinary day's calls. With them there are four fifths more
/// faults, as two districts of Xining reported in a storm (60 faults, +81.82 %).
const STORM_PERCENT: u32 = 17;
/// The stories of the additional calls, each with its share of 100.
const STORM_STORIES: [(Story, u32); 3] = [(Story::Fault, 70), (Story::Outage, 20), (Story::FaultUrged, 10)];

/// Returns the number of calls of a stormy day whose ordinary day has `calls`.
#[must_use]
pub fn stormy_calls(calls: u32) -> u32 {
    calls + (calls * STORM_PERCENT).div_ceil(100)
}

/// A city, defined by its seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct City {
    seed: u64,
}

/// A customer of the city with address and grid connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Household {
    /// Name, phone and account number, all generated.
    pub caller: pb::Caller,
    /// Service address.
    pub address: String,
    /// The station that serves it.
    pub station: String,
    /// The index of its transformer in the city, from 0.
    pub transformer: u32,
    /// Its place on the grid.
    pub place: pb::Place,
}

impl City {
    /// Creates the city of that seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Returns the beginning of that date in China Standard Time.
    #[must_use]
    pub fn midnight(date: NaiveDate) -> Option<Timestamp> {
        let china = FixedOffset::east_opt(8 * 3600)?;
        Some(china.from_local_datetime(&date.and_hms_opt(0, 0, 0)?).single()?.to_utc())
    }

    /// Generates the day that begins at `midnight`, as at most `calls` scripts in order of their start. With 22 or more
    /// calls, every story occurs at least once. Every ticket is closed or withdrawn within [`STORY_MAX`].
    pub fn day(&self, midnight: Timestamp, calls: u32) -> impl Iterator<Item = Script> + Send + use<> {
        self.told(midnight, calls, 0)
    }

    /// Generates the same day with a storm from 16:00 to 18:00. It has [`stormy_calls`] calls in all. In these two
    /// hours agents, desks and crews cannot keep up with the faults.
    pub fn stormy_day(&self, midnight: Timestamp, calls: u32) -> impl Iterator<Item = Script> + Send + use<> {
        let calls = calls.min(CALLS_MAX);
        self.told(midnight, calls, stormy_calls(calls) - calls)
    }

    fn told(&self, midnight: Timestamp, calls: u32, by_storm: u32) -> impl Iterator<Item = Script> + Send + use<> {
        let calls = calls.min(CALLS_MAX);
        let city = *self;
        let storm = if by_storm > 0 { "/storm" } else { "" };
        // The version of the delay distributions is part of the name, because other delays make another day.
        let source = Source::named(&format!("city/2/{}/{}/{calls}{storm}", self.seed, midnight.timestamp()));
        let mut dice = StdRng::seed_from_u64(source.script("day").as_u64_pair().0);
        let deck = deck(calls as usize, &mut dice);
        let hours: Vec<(i64, u32)> = (0..).zip(HOURS).collect();
        let mut begins: Vec<i64> = (0..calls)
            .map(|_| {
                let hour = hours.choose_weighted(&mut dice, |(_, weight)| *weight).map_or(12, |(hour, _)| *hour);
                hour * 3600 + dice.random_range(0..3600)
            })
            .collect();
        begins.sort_unstable();
        let mut told: Vec<(i64, Story, Weather)> = begins
            .into_iter()
            .zip(deck)
            .map(|(at, story)| {
                let struck = by_storm > 0 && STORM.contains(&at);
                (at, story, if struck { Weather::Storm } else { Weather::Fair })
            })
            .collect();
        for _ in 0..by_storm {
            let drawn = STORM_STORIES.choose_weighted(&mut dice, |(_, share)| *share);
            told.push((dice.random_range(STORM), drawn.map_or(Story::Fault, |(story, _)| *story), Weather::Storm));
        }
        told.sort_by_key(|(second, ..)| *second);
        told.into_iter().enumerate().map(move |(i, (second, story, weather))| {
            let key = format!("call-{i:07}");
            stories::tell((story, weather), &city, &source, key, midnight + TimeDelta::seconds(second))
        })
    }

    /// Generates the household of that number, from 0; numbers from [`HOUSEHOLDS`] on wrap around.
    #[must_use]
    pub fn household(&self, number: u32) -> Household {
        let number = number % HOUSEHOLDS;
        let transformer = number / HOUSEHOLDS_PER_TRANSFORMER;
        let feeder = transformer / TRANSFORMERS_PER_FEEDER;
        let mut dice = StdRng::seed_from_u64(self.seed ^ (u64::from(number) << 32));
        let mut caller = person(&mut dice);
        caller.phone = Some(format!("1380000{number:04}"));
        caller.account = Some(format!("33{number:08}"));
        // The street depends on the feeder, the building on the transformer.
        let street = words::STREETS[(feeder as usize + (self.seed % 97) as usize) % words::STREETS.len()];
        let address = words::address(street, 1 + transformer * 10 + number % 10, 101 + number % 6);
        let area = if feeder.is_multiple_of(3) { pb::Area::Rural } else { pb::Area::Urban };
        let grid = |unit: u32, scale: i32| i32::try_from(unit).unwrap_or(0) * scale;
        Household {
            caller,
            address,
            station: station(feeder / FEEDERS_PER_STATION),
            transformer,
            place: pb::Place {
                area: area.into(),
                feeder: Some(format!("10kV-F{feeder:03}")),
                transformer: Some(format!("T{transformer:04}")),
                latitude_e6: Some(30_200_000 + grid(feeder, 9_000) + grid(transformer % 6, 700)),
                longitude_e6: Some(120_100_000 + grid(feeder, 7_000) + grid(number % 60, 90)),
            },
        }
    }

    /// Returns the stations, each with the home of its crews: the position of the first household on its second feeder.
    #[must_use]
    pub fn stations(&self) -> Vec<(String, pb::Position)> {
        let households = TRANSFORMERS_PER_FEEDER * HOUSEHOLDS_PER_TRANSFORMER;
        let at_home = |nth: u32| {
            let place = self.household((nth * FEEDERS_PER_STATION + 1) * households).place;
            let (latitude_e6, longitude_e6) = place.latitude_e6.zip(place.longitude_e6).unwrap_or_default();
            (station(nth), pb::Position { latitude_e6, longitude_e6 })
        };
        (0..STATIONS).map(at_home).collect()
    }

    /// Returns another household behind the same transformer.
    fn neighbour(&self, household: &Household, nth: u32) -> Household {
        let first = household.transformer * HOUSEHOLDS_PER_TRANSFORMER;
        let of = |nth: u32| self.household(first + nth % HOUSEHOLDS_PER_TRANSFORMER);
        Some(of(nth)).filter(|found| found.caller != household.caller).unwrap_or_else(|| of(nth + 1))
    }
}

/// Generates a name and a phone number of no real person: the number has more digits than any in service.
#[must_use]
pub fn person(dice: &mut StdRng) -> pb::Caller {
    let mut one = |words: &[&'static str]| words.choose(dice).copied().unwrap_or_default();
    let (surname, given) = (one(&words::SURNAMES), one(&words::GIVEN));
    let phone = format!("1380000{:08}", dice.random_range(0..100_000_000));
    pb::Caller { name: Some(format!("{surname}{given}")), phone: Some(phone), ..pb::Caller::default() }
}

/// Returns the path of the station of that number.
fn station(number: u32) -> String {
    let (county, stations) = COUNTIES[(number / 2) as usize % COUNTIES.len()];
    format!("{CITY}/{county}/{}", stations[(number % 2) as usize])
}

/// Returns the county that a household's station belongs to.
fn county(house: &Household) -> &str {
    house.station.rsplit_once('/').map_or(CITY, |(county, _)| county)
}

/// Draws `calls` stories in random order: every story once, the others by their share.
fn deck(calls: usize, dice: &mut StdRng) -> Vec<Story> {
    let mut deck: Vec<Story> = Story::ALL.iter().map(|(story, _)| *story).take(calls).collect();
    while deck.len() < calls {
        let drawn = Story::ALL.choose_weighted(dice, |(_, share)| *share);
        deck.push(drawn.map_or(Story::Query, |(story, _)| *story));
    }
    deck.shuffle(dice);
    deck
}

#[cfg(test)]
mod tests;
