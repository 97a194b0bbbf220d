//! The prefecture (地市): 120 x 120 km on a plane around 30 N 120 E, with its kinds of area, its districts and the times
//! of drives.
//!
//! The city core in the middle has a radius of 12 km. A second town with a radius of 5 km lies 33 km away. A rural ring
//! surrounds both, and everything beyond 40 km from the middle is remote. Drives follow the design. Their length is the
//! haversine distance times 1.32, with more for short hops. The cruising speed depends on the area of the destination.
//! By Kolesar's law, the first and the last half kilometre are spent accelerating and braking.

use std::f64::consts::{PI, TAU};

use switchboard_domain::{crew::Point, ticket::Area};

use super::chance::Chance;

/// Half of the prefecture's side, in kilometres.
pub const HALF_KM: f64 = 60.0;
/// The radius of the city core, in kilometres.
pub const CORE_KM: f64 = 12.0;
/// The distance from the middle at which remote land begins, in kilometres.
pub const REMOTE_KM: f64 = 40.0;
/// The centre of the second town, in kilometres east and north of the city's centre.
pub const TOWN: (f64, f64) = (28.0, -18.0);
/// The radius of the second town, in kilometres.
pub const TOWN_KM: f64 = 5.0;
/// The number of districts: four quarters each of core, rural ring and remote land, and the second town.
pub const DISTRICTS: usize = 13;

const LATITUDE: f64 = 30.0;
const LONGITUDE: f64 = 120.0;
const KM_PER_DEGREE: f64 = 6371.0 * PI / 180.0;

/// The road distance in kilometres within which a vehicle reaches cruising speed.
const RAMP_KM: f64 = 0.5;

/// Returns the point that many kilometres east and north of the middle.
#[must_use]
pub fn point(east: f64, north: f64) -> Point {
    let latitude = LATITUDE + north / KM_PER_DEGREE;
    let longitude = LONGITUDE + east / (KM_PER_DEGREE * LATITUDE.to_radians().cos());
    Point { latitude_e6: (latitude * 1e6).round() as i32, longitude_e6: (longitude * 1e6).round() as i32 }
}

/// Returns the kilometres east and north of the middle.
#[must_use]
pub fn plane(at: Point) -> (f64, f64) {
    let east = (f64::from(at.longitude_e6) / 1e6 - LONGITUDE) * KM_PER_DEGREE * LATITUDE.to_radians().cos();
    (east, (f64::from(at.latitude_e6) / 1e6 - LATITUDE) * KM_PER_DEGREE)
}

fn in_town(east: f64, north: f64) -> bool {
    (east - TOWN.0).hypot(north - TOWN.1) <= TOWN_KM
}

/// Returns the kind of area at a place.
#[must_use]
pub fn area(east: f64, north: f64) -> Area {
    let out = east.hypot(north);
    if out <= CORE_KM || in_town(east, north) {
        Area::Urban
    } else if out <= REMOTE_KM {
        Area::Rural
    } else {
        Area::Remote
    }
}

/// Returns the district at a place, less than [`DISTRICTS`].
#[must_use]
pub fn district(east: f64, north: f64) -> usize {
    if in_town(east, north) {
        return DISTRICTS - 1;
    }
    let quarter = usize::from(east < 0.0) + 2 * usize::from(north < 0.0);
    let ring = match area(east, north) {
        Area::Urban => 0,
        Area::Rural => 1,
        Area::Remote => 2,
    };
    4 * ring + quarter
}

/// Draws a place in the core (0), the second town (1), the rural ring (2) or the remote land (3).
pub fn somewhere(region: usize, chance: &mut Chance) -> (f64, f64) {
    loop {
        let (east, north) = match region {
            0 | 1 => {
                let radius = if region == 0 { CORE_KM } else { TOWN_KM } * chance.unit().sqrt();
                let turn = TAU * chance.unit();
                let middle = if region == 0 { (0.0, 0.0) } else { TOWN };
                return (middle.0 + radius * turn.cos(), middle.1 + radius * turn.sin());
            }
            _ => (chance.between(-HALF_KM, HALF_KM), chance.between(-HALF_KM, HALF_KM)),
        };
        if area(east, north) == [Area::Rural, Area::Remote][region.min(3) - 2] {
            return (east, north);
        }
    }
}

/// The driving times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roads {
    /// The factor on speed: 1, less in a storm.
    pub speed: f64,
}

impl Roads {
    /// Returns the minutes from one place to another in an area of this kind, without turning out and without noise.
    #[must_use]
    pub fn minutes(self, from: Point, to: Point, area: Area) -> f64 {
        let crow = from.km_to(to);
        let road = crow * (1.32 + 0.25 * (-crow / 2.0).exp());
        let cruise = self.speed / 60.0
            * match area {
                Area::Urban => 28.0,
                Area::Rural => 45.0,
                Area::Remote => 40.0,
            };
        if road < 2.0 * RAMP_KM {
            2.0 * (2.0 * RAMP_KM * road).sqrt() / cruise
        } else {
            (road + 2.0 * RAMP_KM) / cruise
        }
    }
}

/// Returns the point at this share of the way.
#[must_use]
pub fn between(from: Point, to: Point, share: f64) -> Point {
    let mix = |a: i32, b: i32| a + (f64::from(b - a) * share.clamp(0.0, 1.0)).round() as i32;
    Point { latitude_e6: mix(from.latitude_e6, to.latitude_e6), longitude_e6: mix(from.longitude_e6, to.longitude_e6) }
}
