//! Days that a utility recorded (`outages-pge-2019-2020.csv.gz`), as worlds: its tickets, its crews' hours, its time on site.
//!
//! - **Where.** The tickets of a box of about 130 x 110 km around San Francisco Bay, small enough for crews to drive through.
//! - **Which tickets.** Unplanned ones whose first crew on site was seen; a snapshot every ten minutes says between which two it
//!   came, and the middle is taken. The day, the one before and the one after are run; the day alone is judged.
//! - **Crews.** The utility's roster is not known, only who was at work. In each shift of eight hours as many crews are on as were
//!   under way or on site at one instant of it: the smallest roster of whole shifts that could have done what was done, and never
//!   more crews than were seen. They are at home where tickets of other days were.
//! - **Work.** On site until the repair crew was sent for or the ticket ended, and as long as the repair crew was there, in one
//!   visit, each cut at [`VISIT_MAX_MINUTES`] in the demand as in the crews' hours.
//! - **What differs.** The utility may have left tickets for the morning on purpose, and has skills and territories that are not
//!   recorded; our crews accept, decline and are held up as in the made worlds. Clocks are moved so that its midnight is +08:00's.

use std::{collections::BTreeMap, fs::File, io, path::Path};

use chrono::{TimeZone, Utc};
use flate2::read::GzDecoder;
use switchboard_domain::{
    crew::{CrewId, Point, Skill, Skills},
    organisation::OrgPath,
    ticket::{Area, Category, TicketId},
};
use uuid::Uuid;

use super::{
    chance::Chance,
    made,
    place::Roads,
    world::{Millis, Roster, Step, Ticket, World, millis},
};

/// The longest visit that is taken over, in minutes.
pub const VISIT_MAX_MINUTES: f64 = 480.0;
/// South, north, west and east of the box, in degrees.
const BOX: [f64; 4] = [37.0, 38.2, -122.7, -121.5];
/// Minutes of a drive whose beginning was not seen, and the longest that is believed.
const DRIVE: (f64, f64) = (25.0, 180.0);
/// The utility's midnight, in hours of UTC; summer time is not looked at.
const MIDNIGHT: i64 = 8;
/// Degrees of a cell whose tickets decide the kind of area, and how many make it urban or rural.
const CELL: (f64, usize, usize) = (0.1, 300, 60);
/// Hours of a day, and of a shift.
const HOURS: usize = 24;
const SHIFT: usize = 8;

/// One ticket of the file; instants in seconds since 1970.
#[derive(Clone, Debug)]
struct Row {
    start: f64,
    left_for: f64,
    onsite: f64,
    /// When crews were busy with it, from and until.
    busy: Vec<(f64, f64)>,
    customers: u32,
    at: (f64, f64),
}

/// What of the file is used.
#[derive(Clone, Debug)]
pub struct Recording {
    rows: Vec<Row>,
    cells: BTreeMap<(i32, i32), usize>,
}

/// A recorded day as a world.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Three days; the middle one is judged.
    pub world: World,
    /// Minutes to the utility's own first arrival, for the tickets of the middle day.
    pub observed: Vec<Option<f64>>,
    /// Crew-hours of the middle day.
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
            "assess_enroute",
            "assess_onsite",
            "assess_onsite_prev",
            "repair_sent",
            "repair_onsite",
            "last_seen",
            "cust_max",
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

    /// Tickets by day, counted from 1970.
    #[must_use]
    pub fn days(&self) -> BTreeMap<i64, usize> {
        let mut days = BTreeMap::new();
        for row in &self.rows {
            *days.entry(day_of(row.start)).or_default() += 1;
        }
        days
    }

    /// So many days of the middle of the ordinary ones, spread over the recording.
    #[must_use]
    pub fn ordinary(&self, count: usize) -> Vec<i64> {
        let mut days: Vec<(usize, i64)> = self.days().into_iter().map(|(day, tickets)| (tickets, day)).collect();
        days.sort_unstable();
        let fifth = days.len() / 5;
        let mut middle: Vec<i64> = days.iter().skip(2 * fifth).take(fifth).map(|(_, day)| *day).collect();
        middle.sort_unstable();
        (0..count).filter_map(|index| middle.get(index * middle.len() / count.max(1)).copied()).collect()
    }

    /// The day as a world of this seed.
    #[must_use]
    pub fn world(&self, day: i64, seed: u64) -> Recorded {
        let start = midnight(day - 1);
        let within: Vec<&Row> =
            self.rows.iter().filter(|row| (day - 1..=day + 1).contains(&day_of(row.start))).collect();
        let levels = levels(&self.rows, start);
        let tickets: Vec<Ticket> =
            within.iter().enumerate().map(|(index, row)| self.ticket(index, row, start, seed)).collect();
        let observed =
            within.iter().map(|row| (day_of(row.start) == day).then(|| (row.onsite - row.start) / 60.0)).collect();
        Recorded {
            world: World {
                seed,
                start: Utc.timestamp_opt(start as i64 - (MIDNIGHT + 8) * 3600, 0).single().unwrap_or_default(),
                tickets,
                crews: self.crews(&levels, seed),
                roads: Roads { speed: 1.0 },
                districts: 1,
            },
            observed,
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
        let on_site = row.busy.iter().map(|(from, until)| (until - from) / 60.0).sum::<f64>()
            - (row.onsite - row.left_for) / 60.0;
        Ticket {
            id: TicketId(Uuid::from_bytes(chance.bytes())),
            reported: millis((row.start - start) / 60.0),
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

    fn crews(&self, levels: &[usize], seed: u64) -> Vec<Roster> {
        let most = levels.iter().copied().max().unwrap_or(0);
        (0..most)
            .map(|index| {
                let mut chance = Chance::of(&[seed, 6, index as u64]);
                let home = self.rows[(chance.unit() * self.rows.len() as f64) as usize].at;
                Roster {
                    id: CrewId::of(&OrgPath::parse(&format!("sgcc/zj/hz/bay/bay/crew{index}")).unwrap()).unwrap(),
                    home: point(home),
                    skills: Skills::of(&[Skill::LowVoltage]),
                    shifts: shifts(levels, index),
                }
            })
            .collect()
    }
}

fn row(numbers: &[Option<f64>]) -> Option<Row> {
    let [start, enroute, assess, before, sent, repair, end, customers, latitude, longitude] = numbers else {
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
    let drive = enroute.map_or(DRIVE.0 * 60.0, |left| onsite - left);
    let drive = if (0.0..=DRIVE.1 * 60.0).contains(&drive) { drive } else { DRIVE.0 * 60.0 };
    let cut = |from: f64, until: f64| (from, until.clamp(from, from + VISIT_MAX_MINUTES * 60.0));
    let left = sent.filter(|sent| (onsite..end).contains(sent)).unwrap_or(end);
    let first = cut(onsite, left);
    let mut busy = vec![(onsite - drive, first.1)];
    if let Some(repair) = repair.filter(|repair| assess.is_some() && (left..end).contains(repair)) {
        busy.push(cut(repair, end));
    }
    Some(Row { start, left_for: onsite - drive, onsite, busy, customers: customers.unwrap_or(1.0).max(1.0) as u32, at })
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

/// Its first instant.
fn midnight(day: i64) -> f64 {
    (day * 86_400 + MIDNIGHT * 3600) as f64
}

/// In each hour of three days from `start`, how many crews were at work at the busiest minute of its shift.
fn levels(rows: &[Row], start: f64) -> Vec<usize> {
    let mut minutes = vec![0_i64; 3 * HOURS * 60 + 1];
    let clamped = |instant: f64| (((instant - start) / 60.0).max(0.0) as usize).min(minutes.len() - 1);
    let changes: Vec<(usize, usize)> =
        rows.iter().flat_map(|row| &row.busy).map(|(from, until)| (clamped(*from), clamped(*until))).collect();
    for (from, until) in changes {
        minutes[from] += 1;
        minutes[until] -= 1;
    }
    let mut now = 0;
    let busy: Vec<i64> = minutes
        .iter()
        .map(|change| {
            now += change;
            now
        })
        .collect();
    let shifts = busy[..3 * HOURS * 60].chunks(SHIFT * 60);
    shifts.flat_map(|shift| [shift.iter().max().copied().unwrap_or(0).max(0) as usize; SHIFT]).collect()
}

/// The hours at which more than `index` crews are on, joined; after the three days the last repeats.
fn shifts(levels: &[usize], index: usize) -> Vec<(Millis, Millis)> {
    const DRAIN_DAYS: usize = 7;
    let level = |hour: usize| {
        let known = if hour < levels.len() { hour } else { levels.len() - HOURS + hour % HOURS };
        levels[known]
    };
    let hour = |hours: usize| millis(hours as f64 * 60.0);
    let mut shifts: Vec<(Millis, Millis)> = Vec::new();
    for now in (0..levels.len() + DRAIN_DAYS * HOURS).filter(|now| level(*now) > index) {
        match shifts.last_mut() {
            Some((_, until)) if *until == hour(now) => *until = hour(now + 1),
            _ => shifts.push((hour(now), hour(now + 1))),
        }
    }
    shifts
}
