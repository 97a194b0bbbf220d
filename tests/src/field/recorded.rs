//! Days that a utility recorded (`outages-pge-2019-2020.csv.gz`), as worlds with its tickets, its crew hours and its
//! times on site.
//!
//! - **Where.** The tickets in a box of about 130 x 110 km around San Francisco Bay, small enough for crews to drive
//!   through.
//! - **Which tickets.** Unplanned ones whose first crew on site was seen. Snapshots every ten minutes give an interval
//!   for that arrival, and its middle is taken. The day, the one before and the one after are run; only the day is
//!   judged. The other tickets have no comparable data, so neither the demand nor the crews' work includes them.
//! - **When.** We know a ticket from the time at which the utility's map showed it, again the middle between two
//!   snapshots. Both the utility and our policies are judged from the beginning of the outage.
//! - **Crews.** The utility's roster is not known, only the times and places of crews on site. `roster.rs` computes the
//!   smallest roster that could have done the work. The homes of crews are places of tickets of other days.
//! - **Work.** A visit lasts until the repair crew was sent for or the ticket ended. The time of the repair crew is
//!   added; our crews do both in one visit. Each part is cut at [`VISIT_MAX_MINUTES`], in the demand as in the crews'
//!   hours.
//! - **What differs.** The utility may have left tickets for the morning on purpose, and its skills and territories are
//!   not recorded. Our crews accept, decline and are delayed as in the generated worlds. Clocks are shifted so that the
//!   utility's midnight is that of +08:00.

mod roster;

use std::{collections::BTreeMap, fs::File, io, path::Path};

use chrono::{TimeZone, Utc};
use flate2::read::GzDecoder;
use switchboard_domain::{
    crew::{Point, Skill, Skills},
    ticket::{Area, Category, TicketId},
};
use uuid::Uuid;

use super::{
    chance::Chance,
    made,
    place::Roads,
    world::{Step, Ticket, World, millis},
};

/// The longest part of a visit that is taken over, in minutes.
pub const VISIT_MAX_MINUTES: f64 = 480.0;
/// The bounds of the box in degrees: south, north, west, east.
const BOX: [f64; 4] = [37.0, 38.2, -122.7, -121.5];
/// The utility's midnight in hours of UTC, without summer time.
const MIDNIGHT: i64 = 8;
/// The size in degrees of a cell whose tickets decide the kind of area, and the least number of tickets that makes it
/// urban and rural.
const CELL: (f64, usize, usize) = (0.1, 300, 60);
/// Hours of a day, and of a shift.
const HOURS: usize = 24;
const SHIFT: usize = 8;

/// One ticket of the file; instants in seconds since 1970.
#[derive(Clone, Debug)]
struct Row {
    start: f64,
    /// The time at which the utility's map showed it.
    shown: f64,
    onsite: f64,
    /// The intervals with a crew on site.
    visits: Vec<(f64, f64)>,
    /// The number of customers when it was first shown.
    customers: u32,
    at: (f64, f64),
}

/// The part of the file that is used.
#[derive(Clone, Debug)]
pub struct Recording {
    rows: Vec<Row>,
    cells: BTreeMap<(i32, i32), usize>,
}

/// A recorded day as a world.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Three days; only the middle one is judged.
    pub world: World,
    /// Minutes from the beginning of the outage to the utility's own first arrival, for the tickets of the middle day.
    pub observed: Vec<Option<f64>>,
    /// Minutes from the beginning of each outage until it was known.
    pub unknown: Vec<f64>,
    /// The crew-hours of the middle day.
    pub crew_hours: usize,
}

impl Recording {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, or lacks a column.
    pub fn read(file: &Path) -> io::Result<Self> {
        let mut reader = csv::Reader::from_reader(GzDecoder::new(File::open(file)?));
        let headers = reader.headers()?.clone();
        let column = |name: &str| {
            let lacks = || io::Error::other(format!("{} has no column {name}", file.display()));
            headers.iter().position(|found| found == name).ok_or_else(lacks)
        };
        let names = [
            "start",
            "first_prev",
            "first_seen",
            "assess_onsite",
            "assess_onsite_prev",
            "repair_sent",
            "repair_onsite",
            "last_seen",
            "cust_first",
            "lat",
            "lon",
        ];
        let columns = names.map(column).into_iter().collect::<io::Result<Vec<usize>>>()?;
        let cause = column("cause_first")?;
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record?;
            let numbers: Vec<Option<f64>> = columns.iter().map(|at| record[*at].parse().ok()).collect();
            if &record[cause] != "planned" {
                rows.extend(row(&numbers));
            }
        }
        let mut cells = BTreeMap::new();
        for row in &rows {
            *cells.entry(cell(row.at)).or_default() += 1;
        }
        rows.sort_by(|a, b| a.start.total_cmp(&b.start));
        Ok(Self { rows, cells })
    }

    /// Returns the number of tickets by day, counted from 1970.
    #[must_use]
    pub fn days(&self) -> BTreeMap<i64, usize> {
        let mut days = BTreeMap::new();
        for row in &self.rows {
            *days.entry(day_of(row.start)).or_default() += 1;
        }
        days
    }

    /// Returns `count` days from the middle fifth by number of tickets, spread over the recording.
    #[must_use]
    pub fn ordinary(&self, count: usize) -> Vec<i64> {
        let mut days: Vec<(usize, i64)> = self.days().into_iter().map(|(day, tickets)| (tickets, day)).collect();
        days.sort_unstable();
        let fifth = days.len() / 5;
        let mut middle: Vec<i64> = days.iter().skip(2 * fifth).take(fifth).map(|(_, day)| *day).collect();
        middle.sort_unstable();
        (0..count).filter_map(|index| middle.get(index * middle.len() / count.max(1)).copied()).collect()
    }

    /// Builds the world of the day with this seed.
    #[must_use]
    pub fn world(&self, day: i64, seed: u64) -> Recorded {
        let start = midnight(day - 1);
        let within: Vec<&Row> =
            self.rows.iter().filter(|row| (day - 1..=day + 1).contains(&day_of(row.start))).collect();
        let levels = roster::levels(&within, start, |at| self.area(at));
        let tickets: Vec<Ticket> =
            within.iter().enumerate().map(|(index, row)| self.ticket(index, row, start, seed)).collect();
        let observed =
            within.iter().map(|row| (day_of(row.start) == day).then(|| (row.onsite - row.start) / 60.0)).collect();
        Recorded {
            world: World {
                seed,
                start: Utc.timestamp_opt(start as i64 - (MIDNIGHT + 8) * 3600, 0).single().unwrap_or_default(),
                tickets,
                crews: roster::crews(&levels, &self.rows, seed),
                roads: Roads { speed: 1.0 },
                districts: 1,
            },
            observed,
            unknown: within.iter().map(|row| (row.shown - row.start) / 60.0).collect(),
            crew_hours: levels[HOURS..2 * HOURS].iter().sum(),
        }
    }

    fn area(&self, at: (f64, f64)) -> Area {
        match self.cells.get(&cell(at)).copied().unwrap_or(0) {
            tickets if tickets >= CELL.1 => Area::Urban,
            tickets if tickets >= CELL.2 => Area::Rural,
            _ => Area::Remote,
        }
    }

    fn ticket(&self, index: usize, row: &Row, start: f64, seed: u64) -> Ticket {
        let mut chance = Chance::of(&[seed, 5, index as u64]);
        let area = self.area(row.at);
        let on_site = row.visits.iter().map(|(from, until)| (until - from) / 60.0).sum::<f64>();
        Ticket {
            id: TicketId(Uuid::from_bytes(chance.bytes())),
            reported: millis((row.shown - start) / 60.0),
            at: point(row.at),
            area,
            district: 0,
            category: Category::parse("fault/premises").unwrap(),
            skills: Skills::of(&[Skill::LowVoltage]),
            customers: row.customers,
            important: false,
            wire_down: false,
            promise: made::promise(area),
            steps: vec![Step { needs: Skills::NONE, minutes: on_site.max(made::ON_SITE_MIN_MINUTES) }],
        }
    }
}

fn row(numbers: &[Option<f64>]) -> Option<Row> {
    let [start, unseen, seen, assess, before, sent, repair, end, customers, latitude, longitude] = numbers else {
        return None;
    };
    let (start, end, at) = ((*start)?, (*end)?, ((*latitude)?, (*longitude)?));
    let inside = (BOX[0]..BOX[1]).contains(&at.0) && (BOX[2]..BOX[3]).contains(&at.1);
    let onsite = match (assess, repair) {
        (Some(assess), Some(repair)) if repair < assess => *repair,
        (Some(assess), _) => before.map_or(*assess, |before| before.midpoint(*assess)),
        (None, repair) => (*repair)?,
    };
    if !inside || onsite <= start || end < onsite {
        return None;
    }
    let seen = (*seen)?;
    let shown = unseen.map_or(seen, |unseen| unseen.midpoint(seen)).clamp(start, onsite);
    let cut = |from: f64, until: f64| (from, until.clamp(from, from + VISIT_MAX_MINUTES * 60.0));
    let left = sent.filter(|sent| (onsite..end).contains(sent)).unwrap_or(end);
    let mut visits = vec![cut(onsite, left)];
    if let Some(repair) = repair.filter(|repair| assess.is_some() && (left..end).contains(repair)) {
        visits.push(cut(repair, end));
    }
    Some(Row { start, shown, onsite, visits, customers: customers.unwrap_or(1.0).max(1.0) as u32, at })
}

fn cell(at: (f64, f64)) -> (i32, i32) {
    ((at.0 / CELL.0).floor() as i32, (at.1 / CELL.0).floor() as i32)
}

fn point(at: (f64, f64)) -> Point {
    Point { latitude_e6: (at.0 * 1e6).round() as i32, longitude_e6: (at.1 * 1e6).round() as i32 }
}

fn day_of(instant: f64) -> i64 {
    (instant as i64 - MIDNIGHT * 3600).div_euclid(86_400)
}

/// Returns the first instant of a day.
fn midnight(day: i64) -> f64 {
    (day * 86_400 + MIDNIGHT * 3600) as f64
}
