//! The dispatch policy: every weight, limit and parameter of the objective, as data. Its version is recorded in each
//! reservation.

use serde::{Deserialize, Serialize};
use switchboard_domain::{
    crew::{Skill, Skills},
    ticket::{Area, Category},
};

/// A dispatch policy. Times are in minutes, distances in kilometres, prices in weighted minutes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The version, recorded in every reservation.
    pub version: String,
    /// Seed of the search.
    pub seed: u64,
    /// The weights of the objective.
    pub weights: Weights,
    /// Travel times.
    pub travel: Travel,
    /// Repair times.
    pub repair: Repair,
    /// Offers and their leases.
    pub offers: Offers,
    /// When storm mode begins and ends, and what it changes.
    pub storm: Storm,
    /// The depth and the duration of planning.
    pub horizon: Horizon,
    /// The skills that categories need. The longest matching category decides.
    pub skills: Vec<SkillRule>,
}

/// The objective to minimise: `sum w (restored - reported) + patience (restored - now) + A P(late) + B minutes late`
/// over the tickets, `+ travel + changes + fairness + coverage + overtime`. w is the number of customers plus the
/// additions below.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Added to the customers when one of them is important.
    pub important: f64,
    /// Added when a wire is down.
    pub wire_down: f64,
    /// Added when the customer urged the ticket.
    pub pressed: f64,
    /// Added for an urgent ticket.
    pub urgent: f64,
    /// The maximum weight of a ticket.
    pub weight_max: f64,
    /// A: the price of a broken arrival promise, multiplied by its probability.
    pub late: f64,
    /// B: the price of a minute late, multiplied by `max(weight, 1)` when `late_by_weight`, otherwise by 1.
    pub late_minute: f64,
    /// If true, a minute late is multiplied by the ticket's weight.
    pub late_by_weight: bool,
    /// The price of a minute of travel.
    pub travel_minute: f64,
    /// The price of sending another crew than the one that last got the offer.
    pub change: f64,
    /// The price of an hour on site above the mean of the crews on shift with the same skills.
    pub fairness_hour: f64,
    /// The price per hour of occupying a free crew, for each expected ticket that would then find no crew in reach. The
    /// number of expected tickets is the number of crews on shift. The price falls with the load, and is 0 at one open
    /// ticket per crew.
    pub coverage: f64,
    /// The price of a minute after the planned end of the shift.
    pub overtime_minute: f64,
    /// The weight that a ticket gains per hour after its promise, so that none waits forever. With more than one open
    /// ticket per crew it is divided by that number.
    pub patience_hour: f64,
}

/// Travel times without a road graph: great-circle distance with a detour factor, Kolesar's square-root law for short
/// trips, and a cruise speed per kind of area.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Travel {
    /// Detour factor of long trips; short trips add `hop_detour * exp(-d / hop_km)`.
    pub detour: f64,
    /// The addition for short trips.
    pub hop_detour: f64,
    /// The length scale of short trips.
    pub hop_km: f64,
    /// Cruise speed in urban areas, km/h.
    pub urban_kmh: f64,
    /// Cruise speed in rural areas, km/h.
    pub rural_kmh: f64,
    /// Cruise speed in remote areas, km/h.
    pub remote_kmh: f64,
    /// Speed factor in a storm. If observed trips are slower still, the observed factor applies.
    pub storm: f64,
    /// Minutes from accepting an offer to departure, by day.
    pub turn_out_day: f64,
    /// Minutes from accepting an offer to departure, at night.
    pub turn_out_night: f64,
    /// The 90th percentile of a trip divided by its median.
    pub p90: f64,
    /// The assumed distance of a ticket without a position, in kilometres.
    pub unknown_km: f64,
    /// The distance that a crew needs to reach cruise speed, in kilometres. Shorter trips follow the square-root law.
    pub ramp_km: f64,
}

/// Repair times: log-normal, with a median by the number of customers interrupted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Repair {
    /// The upper ends of the customer bands, ascending.
    pub customers: Vec<u32>,
    /// The median minutes on site per band; one more entry than `customers`.
    pub median_minutes: Vec<f64>,
    /// The standard deviation of the logarithm.
    pub sigma: f64,
    /// The planned repair time as a multiple of the median; above 1, because the mean exceeds the median.
    pub planned: f64,
}

/// Offers and leases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Offers {
    /// The lease, in seconds.
    pub lease_seconds: u32,
    /// The lease of a priority offer, in seconds.
    pub lease_priority_seconds: u32,
    /// Seconds after the end of a lease before its expiry is proposed.
    pub grace_seconds: u32,
    /// The maximum number of parallel offers for a priority ticket, or after one expiry.
    pub parallel_max: usize,
    /// Minutes before a crew that declined a ticket may get it again.
    pub declined_minutes: u32,
    /// Minutes before a crew whose offer expired may get the ticket again.
    pub expired_minutes: u32,
    /// Minutes without a report after which a crew gets no offers.
    pub silent_minutes: u32,
    /// The promised arrival in urban areas, in minutes from the report, the appointment or the reopening.
    pub arrival_urban: u32,
    /// The promised arrival in rural areas, in minutes.
    pub arrival_rural: u32,
    /// The promised arrival in remote areas, in minutes.
    pub arrival_remote: u32,
    /// Minutes before an appointment from which the ticket is planned.
    pub appointment_minutes: u32,
    /// A ticket of at least this weight is a priority.
    pub priority_weight: f64,
    /// A crew on its way to a priority ticket is diverted only to a priority with this multiple of its weight; from
    /// other tickets, to any priority.
    pub divert_ratio: f64,
    /// Minutes between two diversions from one ticket, and between two recalls of one crew.
    pub divert_minutes: u32,
    /// Minutes before a ticket may return to a crew from which it was taken.
    pub return_minutes: u32,
}

/// Storm mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storm {
    /// Open tickets per crew on shift above which storm mode begins.
    pub load: f64,
    /// Open tickets per crew on shift below which storm mode ends.
    pub load_over: f64,
    /// In a storm the price of a broken promise is divided by this.
    pub late_divisor: f64,
    /// Minutes for which a single low-voltage ticket may be held, so that neighbouring tickets can join it.
    pub hold_minutes: f64,
    /// The maximum distance of a neighbour, in kilometres.
    pub hold_km: f64,
    /// Crews evaluated per ticket during improvement, instead of the horizon's.
    pub candidates_max: usize,
}

/// The depth and the duration of planning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Horizon {
    /// The maximum number of stops in a crew's route.
    pub stops_max: usize,
    /// An unplanned ticket is priced as if a crew arrived after this many minutes.
    pub unplanned_minutes: f64,
    /// Crews evaluated per ticket during improvement.
    pub candidates_max: usize,
    /// Iterations of improvement per slice.
    pub slice_iterations: u64,
    /// Slices per period.
    pub slices: u32,
    /// Seconds between two periods of improvement.
    pub period_seconds: u32,
}

/// The skills that a category needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkillRule {
    /// The category; categories within it match too.
    pub category: Category,
    /// The skills.
    pub needs: Skills,
}

impl Policy {
    /// The promised arrival, in minutes from the report.
    #[must_use]
    pub fn arrival_minutes(&self, area: Area) -> u32 {
        match area {
            Area::Urban => self.offers.arrival_urban,
            Area::Rural => self.offers.arrival_rural,
            Area::Remote => self.offers.arrival_remote,
        }
    }

    /// The skills that a category needs; low voltage when no rule matches.
    #[must_use]
    pub fn skills_of(&self, category: Option<&Category>) -> Skills {
        let longest = category.and_then(|category| {
            let fits = self.skills.iter().filter(|rule| rule.category.contains(category));
            fits.max_by_key(|rule| rule.category.as_str().len())
        });
        longest.map_or(Skills::of(&[Skill::LowVoltage]), |rule| rule.needs)
    }

    /// The median time on site for this number of customers, in minutes.
    #[must_use]
    pub fn repair_minutes(&self, customers: u32) -> f64 {
        let band =
            self.repair.customers.iter().position(|upto| customers <= *upto).unwrap_or(self.repair.customers.len());
        self.repair.median_minutes.get(band).copied().unwrap_or(60.0)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: "default".into(),
            seed: 95598,
            weights: Weights::default(),
            travel: Travel::default(),
            repair: Repair::default(),
            offers: Offers::default(),
            storm: Storm::default(),
            horizon: Horizon::default(),
            skills: Vec::new(),
        }
    }
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            important: 500.0,
            wire_down: 200.0,
            pressed: 5.0,
            urgent: 20.0,
            weight_max: 5_000.0,
            late: 10_000.0,
            late_minute: 16.0,
            late_by_weight: false,
            travel_minute: 0.02,
            change: 10.0,
            fairness_hour: 2.0,
            coverage: 200.0,
            overtime_minute: 2.0,
            patience_hour: 30.0,
        }
    }
}

impl Default for Travel {
    fn default() -> Self {
        Self {
            detour: 1.32,
            hop_detour: 0.25,
            hop_km: 2.0,
            urban_kmh: 28.0,
            rural_kmh: 45.0,
            remote_kmh: 40.0,
            storm: 0.8,
            turn_out_day: 2.0,
            turn_out_night: 4.0,
            p90: 1.25,
            unknown_km: 20.0,
            ramp_km: 0.5,
        }
    }
}

impl Default for Repair {
    fn default() -> Self {
        Self {
            customers: vec![1, 10, 100, 1_000],
            median_minutes: vec![37.0, 105.0, 85.0, 129.0, 178.0],
            sigma: 1.2,
            planned: 1.3,
        }
    }
}

impl Default for Offers {
    fn default() -> Self {
        Self {
            lease_seconds: 180,
            lease_priority_seconds: 90,
            grace_seconds: 5,
            parallel_max: 1,
            declined_minutes: 120,
            expired_minutes: 15,
            silent_minutes: 5,
            arrival_urban: 45,
            arrival_rural: 90,
            arrival_remote: 120,
            appointment_minutes: 30,
            priority_weight: 500.0,
            divert_ratio: 5.0,
            divert_minutes: 30,
            return_minutes: 15,
        }
    }
}

impl Default for Storm {
    fn default() -> Self {
        Self { load: 4.0, load_over: 2.0, late_divisor: 1.0, hold_minutes: 5.0, hold_km: 1.0, candidates_max: 12 }
    }
}

impl Default for Horizon {
    fn default() -> Self {
        Self {
            stops_max: 6,
            unplanned_minutes: 720.0,
            candidates_max: 24,
            slice_iterations: 200,
            slices: 10,
            period_seconds: 30,
        }
    }
}
