//! How long a crew travels, without a road graph: distance times a detour, Kolesar's square-root law for short trips, a
//! cruise speed by kind of area. Places are projected to a plane once, so that a distance is one square root.
//!
//! Absent: storms and what is learnt of drives, which are factors on these minutes (`scene`).

use switchboard_domain::{crew::Point, ticket::Area};

use crate::policy::Travel;

/// Kilometres in a degree of latitude, on a sphere of 6,371 km.
const DEGREE_KM: f64 = 111.194_93;
/// Daylight in minutes of the day, China time (UTC+8): the day's turn-out holds within it.
const DAY: std::ops::Range<f64> = 360.0..1320.0;
/// Minutes of a day.
const DAY_MINUTES: f64 = 1440.0;
/// The crews' time zone has no summer time: always UTC+8.
const UTC_AHEAD_MINUTES: f64 = 480.0;

/// A place on the plane, in kilometres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spot {
    /// East.
    pub x: f64,
    /// North.
    pub y: f64,
}

impl Spot {
    /// The straight distance, in kilometres.
    #[must_use]
    pub fn km(self, other: Self) -> f64 {
        let (x, y) = (self.x - other.x, self.y - other.y);
        (x * x + y * y).sqrt()
    }
}

/// An equirectangular projection. Legs due north are exact; a leg due east is off by the cosine of its latitude over
/// that of the origin: within 100 km of the origin by 1 % at 30 degrees of latitude, which is less than the detour
/// factor's own spread. [`PLANE_KM`](crate::planner::PLANE_KM) is the limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plane {
    origin: Point,
    degree_east_km: f64,
}

impl Plane {
    /// The plane that touches the planet at `origin`.
    #[must_use]
    pub fn at(origin: Point) -> Self {
        let latitude = f64::from(origin.latitude_e6) / 1e6;
        Self { origin, degree_east_km: DEGREE_KM * latitude.to_radians().cos() }
    }

    /// Its middle.
    #[must_use]
    pub fn origin(&self) -> Point {
        self.origin
    }

    /// Where a point lies on it.
    #[must_use]
    pub fn spot(&self, point: Point) -> Spot {
        let degrees = |a: i32, b: i32| (f64::from(a) - f64::from(b)) / 1e6;
        Spot {
            x: degrees(point.longitude_e6, self.origin.longitude_e6) * self.degree_east_km,
            y: degrees(point.latitude_e6, self.origin.latitude_e6) * DEGREE_KM,
        }
    }
}

/// Median minutes of a trip of `km` straight kilometres to an area, wheels turning to arrival.
///
/// Trips longer than twice the ramp cruise between speeding up and slowing down; shorter ones never reach the cruise
/// speed and take time by the square root of their length (Kolesar, Walker and Hausner 1975).
#[must_use]
pub fn minutes(travel: &Travel, km: f64, area: Area) -> f64 {
    let road = km * (travel.detour + travel.hop_detour * (-km / travel.hop_km.max(0.01)).exp());
    let speed = kmh(travel, area) / 60.0;
    let ramp = travel.ramp_km.max(0.0);
    if road < 2.0 * ramp { 2.0 * (2.0 * road * ramp).sqrt() / speed } else { (road + 2.0 * ramp) / speed }
}

/// How many straight kilometres a crew gets in so many minutes, wheels turning to arrival; a little less than that where it
/// never reaches its cruise speed or hops count.
#[must_use]
pub fn reach_km(travel: &Travel, minutes: f64, area: Area) -> f64 {
    let road = minutes * kmh(travel, area) / 60.0 - 2.0 * travel.ramp_km.max(0.0);
    road.max(0.0) / travel.detour.max(1.0)
}

fn kmh(travel: &Travel, area: Area) -> f64 {
    let cruise = match area {
        Area::Urban => travel.urban_kmh,
        Area::Rural => travel.rural_kmh,
        Area::Remote => travel.remote_kmh,
    };
    cruise.max(1.0)
}

/// Minutes from acceptance to wheels turning, at an instant given in minutes of UTC since any midnight.
#[must_use]
pub fn turn_out(travel: &Travel, utc_minutes: f64) -> f64 {
    let of_day = (utc_minutes + UTC_AHEAD_MINUTES).rem_euclid(DAY_MINUTES);
    if DAY.contains(&of_day) { travel.turn_out_day } else { travel.turn_out_night }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plane_agrees_with_the_great_circle_over_a_prefecture() {
        let plane = Plane::at(Point::new(30_000_000, 120_000_000).unwrap());
        for (north, east) in [(100_000, 0), (0, 100_000), (400_000, 500_000), (-600_000, 300_000)] {
            let a = Point::new(30_200_000, 120_100_000).unwrap();
            let b = Point::new(30_200_000 + north, 120_100_000 + east).unwrap();
            let (flat, round) = (plane.spot(a).km(plane.spot(b)), a.km_to(b));
            assert!((flat / round - 1.0).abs() < 0.02, "{flat} {round}");
        }
    }

    #[test]
    fn at_the_limit_of_the_plane_legs_are_off_by_what_is_written_down() {
        for (latitude, hundred, limit) in [(30, 0.010, 0.052), (40, 0.014, 0.075), (50, 0.020, 0.108)] {
            let plane = Plane::at(Point::new(latitude * 1_000_000, 110_000_000).unwrap());
            for (km, most) in [(100.0, hundred), (crate::planner::PLANE_KM, limit)] {
                let north = latitude * 1_000_000 + (km / DEGREE_KM * 1e6) as i32;
                let south = latitude * 1_000_000 - (km / DEGREE_KM * 1e6) as i32;
                for there in [north, south] {
                    let (a, b) = (Point::new(there, 110_000_000).unwrap(), Point::new(there, 110_500_000).unwrap());
                    let off = (plane.spot(a).km(plane.spot(b)) / a.km_to(b) - 1.0).abs();
                    assert!(off <= most && off >= most / 2.0, "{latitude} degrees, {km} km: {off}");
                }
            }
        }
    }

    #[test]
    fn a_trip_takes_longer_the_farther_it_is() {
        let travel = Travel::default();
        let mut before = 0.0;
        for step in 1..400 {
            let km = f64::from(step) * 0.1;
            let now = minutes(&travel, km, Area::Urban);
            assert!(now > before, "{km}");
            before = now;
        }
        // 40 km of 1.32 at 28 km/h, and the ramp.
        let far = minutes(&travel, 40.0, Area::Urban);
        assert!((far - (40.0 * 1.32 + 1.0) / 28.0 * 60.0).abs() < 0.01, "{far}");
    }

    #[test]
    fn whoever_is_in_reach_is_there_in_time() {
        let travel = Travel::default();
        for (long, area) in [(34.0, Area::Urban), (70.0, Area::Rural), (94.0, Area::Remote)] {
            let km = reach_km(&travel, long, area);
            assert!((minutes(&travel, km, area) - long).abs() < 0.5, "{km}");
        }
        assert_eq!(reach_km(&travel, 1.0, Area::Urban), 0.0);
    }

    #[test]
    fn the_square_root_law_meets_the_cruise_without_a_step() {
        let travel = Travel { hop_detour: 0.0, detour: 1.0, ..Travel::default() };
        let at = |km| minutes(&travel, km, Area::Rural);
        assert!((at(0.999_999) - at(1.000_001)).abs() < 0.001);
        assert!((at(0.25) / at(1.0) - 0.5).abs() < 1e-9, "a quarter of the way takes half the time");
    }

    #[test]
    fn crews_turn_out_slower_at_night_by_their_own_clock() {
        let travel = Travel::default();
        // Noon in China is 04:00 UTC, midnight 16:00 UTC.
        assert_eq!(turn_out(&travel, 240.0), travel.turn_out_day);
        assert_eq!(turn_out(&travel, 960.0), travel.turn_out_night);
        assert_eq!(turn_out(&travel, 960.0 - 1440.0), travel.turn_out_night);
    }
}
