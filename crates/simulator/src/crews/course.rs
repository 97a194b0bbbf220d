//! The course of a job: the position of the crew at every minute, and the time of each action. It is a pure function of
//! the start, the place of the fault and the course of the job. Absent: the server's reaction.

use switchboard_wire::proto::{self as pb, Area};

use super::conduct::{Blackout, Errand};

/// The ratio of road distance to straight-line distance.
pub const DETOUR: f64 = 1.32;
/// Cruising speeds by kind of area, in km/h.
const URBAN_KMH: f64 = 28.0;
const RURAL_KMH: f64 = 45.0;
const REMOTE_KMH: f64 = 40.0;
/// The assumed distance to a fault without coordinates, in kilometres.
const UNKNOWN_KM: f64 = 8.0;
const EARTH_KM: f64 = 6371.0;

/// An action of a crew on a job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Deed {
    /// The crew leaves.
    SetOut,
    /// The device reports its position.
    Report,
    /// The crew arrives on site.
    Arrive,
    /// The crew has found the cause.
    Diagnose,
    /// The crew gives an ETR, in minutes from now.
    Estimate(f64),
    /// The crew hands the ticket over to a crew with the skill for high voltage.
    HandOver,
    /// Power is back.
    Restore,
    /// The crew sends its reply.
    Reply,
    /// The device loses its signal.
    LoseSignal,
    /// The device regains its signal.
    RegainSignal(Blackout),
}

/// An action with its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Act {
    /// Its time in minutes after the crew began the job.
    pub after: f64,
    /// The action.
    pub deed: Deed,
}

/// A trip from one place to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trip {
    from: pb::Position,
    to: pb::Position,
    /// Its start in minutes after the crew began the job.
    pub begins: f64,
    /// Its duration in minutes.
    pub lasts: f64,
}

impl Trip {
    /// Builds the trip of a job to `place`. Without coordinates it takes the time of `UNKNOWN_KM`, and the crew's
    /// position does not change.
    #[must_use]
    pub fn of(from: pb::Position, place: Option<&pb::Place>, errand: &Errand) -> Self {
        let to = place.and_then(position).unwrap_or(from);
        let area = place.map_or(Area::Urban, pb::Place::area);
        let km = place.and_then(position).map_or(UNKNOWN_KM, |to| km(from, to));
        Self { from, to, begins: errand.turn_out, lasts: drive_minutes(km, area) * errand.trip_factor }
    }

    /// Returns the crew's position at this many minutes after it began the job.
    #[must_use]
    pub fn at(&self, minutes: f64) -> pb::Position {
        let share = if self.lasts > 0.0 { ((minutes - self.begins) / self.lasts).clamp(0.0, 1.0) } else { 1.0 };
        let between = |from: i32, to: i32| {
            let offset = (f64::from(to) - f64::from(from)) * share;
            // The result lies between two numbers of this type.
            #[allow(clippy::cast_possible_truncation)]
            let between = (f64::from(from) + offset).round() as i32;
            between
        };
        pb::Position {
            latitude_e6: between(self.from.latitude_e6, self.to.latitude_e6),
            longitude_e6: between(self.from.longitude_e6, self.to.longitude_e6),
        }
    }

    /// Returns its end in minutes after the crew began the job.
    #[must_use]
    pub fn ends(&self) -> f64 {
        self.begins + self.lasts
    }
}

/// Returns the minutes of a drive over `km` kilometres of straight-line distance.
#[must_use]
pub fn drive_minutes(km: f64, area: Area) -> f64 {
    let kmh = match area {
        Area::Rural => RURAL_KMH,
        Area::Remote => REMOTE_KMH,
        Area::Urban | Area::Unspecified => URBAN_KMH,
    };
    km * DETOUR / kmh * 60.0
}

/// Returns the straight-line distance of two positions in kilometres (haversine).
#[must_use]
pub fn km(a: pb::Position, b: pb::Position) -> f64 {
    let radians = |e6: i32| f64::from(e6).to_radians() / 1e6;
    let (north, south) = (radians(a.latitude_e6), radians(b.latitude_e6));
    let across = (radians(b.longitude_e6) - radians(a.longitude_e6)) / 2.0;
    let chord = ((south - north) / 2.0).sin().powi(2) + north.cos() * south.cos() * across.sin().powi(2);
    2.0 * EARTH_KM * chord.sqrt().min(1.0).asin()
}

/// Returns the position of a place if it has coordinates.
#[must_use]
pub fn position(place: &pb::Place) -> Option<pb::Position> {
    Some(pb::Position { latitude_e6: place.latitude_e6?, longitude_e6: place.longitude_e6? })
}

/// Returns all actions of a job in order of time. `high_voltage` is true if the crew has the skill for high voltage.
/// `report_every` is the interval between two position reports in minutes; 0 means none.
#[must_use]
pub fn acts(errand: &Errand, trip: &Trip, high_voltage: bool, report_every: f64) -> Vec<Act> {
    let mut acts = vec![Act { after: trip.begins, deed: Deed::SetOut }];
    let mut add = |after: f64, deed: Deed| acts.push(Act { after, deed });
    let mut on_the_way = trip.begins + report_every;
    while report_every > 0.0 && on_the_way < trip.ends() {
        add(on_the_way, Deed::Report);
        on_the_way += report_every;
    }
    let arrived = trip.ends();
    add(arrived, Deed::Arrive);
    let seen = arrived + errand.look;
    add(seen, Deed::Diagnose);
    if errand.beyond_low_voltage && !high_voltage {
        add(seen + 1.0, Deed::HandOver);
    } else {
        add(seen, Deed::Estimate(errand.repair * errand.etr_factor));
        add(seen + errand.repair, Deed::Restore);
        add(seen + errand.repair + errand.paperwork, Deed::Reply);
    }
    if let Some(blackout) = errand.blackout {
        add(blackout.after, Deed::LoseSignal);
        add(blackout.after + blackout.lasts, Deed::RegainSignal(blackout));
    }
    // The sort is stable: actions of the same time keep their order.
    acts.sort_by(|a, b| a.after.total_cmp(&b.after));
    acts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crews::conduct::Conduct;

    const HOME: pb::Position = pb::Position { latitude_e6: 30_200_000, longitude_e6: 120_100_000 };

    fn place(latitude_e6: i32, area: Area) -> pb::Place {
        pb::Place {
            area: area.into(),
            latitude_e6: Some(latitude_e6),
            longitude_e6: Some(HOME.longitude_e6),
            ..pb::Place::default()
        }
    }

    fn errand() -> Errand {
        Errand {
            turn_out: 2.0,
            trip_factor: 1.0,
            look: 5.0,
            repair: 40.0,
            etr_factor: 1.5,
            beyond_low_voltage: false,
            paperwork: 10.0,
            blackout: None,
        }
    }

    #[test]
    fn a_degree_of_latitude_is_111_km_and_takes_its_time_by_area() {
        let far = pb::Position { latitude_e6: HOME.latitude_e6 + 1_000_000, ..HOME };
        assert!((km(HOME, far) - 111.2).abs() < 0.1, "{}", km(HOME, far));
        assert!((drive_minutes(28.0, Area::Urban) - 60.0 * DETOUR).abs() < 1e-9);
        assert!(drive_minutes(10.0, Area::Rural) < drive_minutes(10.0, Area::Remote));
    }

    #[test]
    fn a_crew_drives_from_where_it_was_to_the_trouble_and_stays_there() {
        let there = place(30_300_000, Area::Rural);
        let trip = Trip::of(HOME, Some(&there), &errand());
        assert_eq!((trip.at(0.0), trip.at(2.0)), (HOME, HOME));
        assert_eq!(Some(trip.at(trip.ends())), position(&there));
        assert_eq!(Some(trip.at(trip.ends() + 100.0)), position(&there));
        assert_eq!(trip.at(2.0 + trip.lasts / 2.0).latitude_e6, 30_250_000);
        let stuck = Trip::of(HOME, Some(&there), &Errand { trip_factor: 3.0, ..errand() });
        assert!((stuck.lasts - 3.0 * trip.lasts).abs() < 1e-9);
    }

    #[test]
    fn a_trouble_without_a_place_is_somewhere_and_the_crew_is_taken_to_stay() {
        let trip = Trip::of(HOME, None, &errand());
        assert!(trip.lasts > 10.0 && trip.at(trip.ends()) == HOME);
    }

    #[test]
    fn a_job_goes_from_setting_out_to_the_reply_in_the_order_of_the_work() {
        let trip = Trip::of(HOME, Some(&place(30_300_000, Area::Urban)), &errand());
        let acts = acts(&errand(), &trip, false, 5.0);
        let deeds: Vec<Deed> = acts.iter().map(|act| act.deed).filter(|deed| *deed != Deed::Report).collect();
        assert_eq!(
            deeds,
            [Deed::SetOut, Deed::Arrive, Deed::Diagnose, Deed::Estimate(60.0), Deed::Restore, Deed::Reply]
        );
        let reports: Vec<f64> =
            acts.iter().filter(|act| act.deed == Deed::Report).map(|act| act.after - trip.begins).collect();
        assert!(reports.len() > 2 && reports.iter().all(|after| *after < trip.lasts));
        assert!(acts.windows(2).all(|pair| pair[0].after <= pair[1].after));
    }

    #[test]
    fn what_takes_high_voltage_is_handed_over_by_who_cannot_do_it_and_done_by_who_can() {
        let beyond = Errand { beyond_low_voltage: true, ..errand() };
        let trip = Trip::of(HOME, None, &beyond);
        let has = |high_voltage, deed| acts(&beyond, &trip, high_voltage, 5.0).iter().any(|act| act.deed == deed);
        assert!(has(false, Deed::HandOver) && !has(false, Deed::Restore) && !has(false, Deed::Reply));
        assert!(!has(true, Deed::HandOver) && has(true, Deed::Restore));
    }

    #[test]
    fn every_drawn_job_ends_and_whoever_loses_the_signal_gets_it_back() {
        let conduct = Conduct { signal_lost: 1.0, ..Conduct::default() };
        for ticket in 0..500 {
            let errand = conduct.errand(1, "crew", &ticket.to_string(), 1);
            let trip = Trip::of(HOME, Some(&place(30_210_000, Area::Urban)), &errand);
            let acts = acts(&errand, &trip, false, 2.0);
            let place_of = |wanted: fn(&Deed) -> bool| acts.iter().position(|act| wanted(&act.deed));
            let lost = place_of(|deed| *deed == Deed::LoseSignal).unwrap();
            assert!(lost < place_of(|deed| matches!(deed, Deed::RegainSignal(_))).unwrap());
            assert!(place_of(|deed| matches!(deed, Deed::Reply | Deed::HandOver)).is_some());
        }
    }
}
