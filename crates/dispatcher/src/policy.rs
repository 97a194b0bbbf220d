//! What the plan weighs, as data: every weight, limit and mean of the objective, under a version that stands in each reservation.
//! Nothing is decided here.

use serde::{Deserialize, Serialize};
use switchboard_domain::{
    crew::{Skill, Skills},
    ticket::{Area, Category},
};

/// A dispatch policy. Times are minutes, distances kilometres, prices weighted minutes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Which version: stands in every reservation.
    pub version: String,
    /// Seed of the search.
    pub seed: u64,
    /// The objective's weights.
    pub weights: Weights,
    /// How fast crews travel.
    pub travel: Travel,
    /// How long repairs take.
    pub repair: Repair,
    /// Offers and their leases.
    pub offers: Offers,
    /// When it is a storm, and what changes.
    pub storm: Storm,
    /// How deep and how long is planned.
    pub horizon: Horizon,
    /// Skills by category: the longest category that contains the ticket's decides.
    pub skills: Vec<SkillRule>,
}

/// The objective, the lower the better: `sum w (restored - reported) + patience (restored - now) + A P(late) + B minutes late`
/// over the tickets, `+ travel + changes + fairness + coverage + overtime`; w = customers and what is added to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Added to the customers for an important customer.
    pub important: f64,
    /// Added for a wire down.
    pub wire_down: f64,
    /// Added when somebody pressed.
    pub pressed: f64,
    /// Added for an urgent ticket.
    pub urgent: f64,
    /// The most that a ticket weighs.
    pub weight_max: f64,
    /// A: price of a broken arrival promise, times its probability.
    pub late: f64,
    /// B: price of a minute late, times `max(weight, 1)` when `late_by_weight`, else once.
    pub late_minute: f64,
    /// Whether a minute late is priced by the ticket's weight.
    pub late_by_weight: bool,
    /// Price of a minute on the way.
    pub travel_minute: f64,
    /// Price of sending another crew than the one that the ticket was last offered to.
    pub change: f64,
    /// Price of an hour on site above the mean of the crews on shift with the same skills.
    pub fairness_hour: f64,
    /// Price of a free crew's hour for each ticket that would find nobody in reach without it, of as many as crews are on
    /// shift; less the more wait, and none where there is a ticket for each crew.
    pub coverage: f64,
    /// Price of a minute past the planned end of the shift.
    pub overtime_minute: f64,
    /// Weight that a ticket gains per hour past its promise, so that none starves; where more than one waits for each crew,
    /// divided by how many.
    pub patience_hour: f64,
}

/// Travel without a road graph: haversine times a detour, Kolesar's square-root law for short trips, a cruise speed by area.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Travel {
    /// Detour factor of long trips; short hops have `hop_detour * exp(-d / hop_km)` more.
    pub detour: f64,
    /// Added for short hops.
    pub hop_detour: f64,
    /// Length scale of short hops.
    pub hop_km: f64,
    /// Cruise speed in urban areas, km/h.
    pub urban_kmh: f64,
    /// In rural areas.
    pub rural_kmh: f64,
    /// In remote areas.
    pub remote_kmh: f64,
    /// Factor on speed in a storm, a floor beside what was learnt of drives: that counts where it is slower still.
    pub storm: f64,
    /// Minutes from the offer's acceptance to wheels turning, by day and at night.
    pub turn_out_day: f64,
    /// At night.
    pub turn_out_night: f64,
    /// The 90th percentile of a trip over its median.
    pub p90: f64,
    /// How far a ticket without a position is taken to be, in kilometres.
    pub unknown_km: f64,
    /// Over how many kilometres a crew gets up to its cruise speed: shorter trips follow the square-root law.
    pub ramp_km: f64,
}

/// Repair times: log-normal, median by customers interrupted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Repair {
    /// Upper ends of the bands of customers, ascending.
    pub customers: Vec<u32>,
    /// Median minutes on site per band; one more than `customers`.
    pub median_minutes: Vec<f64>,
    /// Sigma of the logarithm.
    pub sigma: f64,
    /// What is planned for a repair, as a multiple of its median: more than 1, for the mean lies above it.
    pub planned: f64,
}

/// Offers and leases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Offers {
    /// Lease in seconds.
    pub lease_seconds: u32,
    /// Lease of a priority offer.
    pub lease_priority_seconds: u32,
    /// Seconds past the lease before its expiry is proposed.
    pub grace_seconds: u32,
    /// Parallel offers of a priority ticket, or after one expiry.
    pub parallel_max: usize,
    /// Minutes for which a crew that declined is not asked again for the same ticket.
    pub declined_minutes: u32,
    /// Minutes for which a crew that let an offer lapse is not asked again.
    pub expired_minutes: u32,
    /// Minutes of silence after which a crew is not offered anything.
    pub silent_minutes: u32,
    /// Arrival promised, minutes from the report, the appointment or the reopening, by area.
    pub arrival_urban: u32,
    /// In rural areas.
    pub arrival_rural: u32,
    /// In remote areas.
    pub arrival_remote: u32,
    /// A ticket with an appointment is planned from so many minutes before it.
    pub appointment_minutes: u32,
    /// A ticket of this weight or more is a priority.
    pub priority_weight: f64,
    /// A crew on the way to a priority ticket is diverted to another priority that weighs so many times more; from any other ticket
    /// to any priority.
    pub divert_ratio: f64,
    /// Minutes between two diversions from one ticket, and between two call-backs of one crew.
    pub divert_minutes: u32,
    /// Minutes for which a ticket does not return to a crew that it was taken from.
    pub return_minutes: u32,
}

/// The storm switch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storm {
    /// Open tickets per crew on shift above which it is a storm.
    pub load: f64,
    /// And below which it is over.
    pub load_over: f64,
    /// Divisor of the price of a broken promise in a storm.
    pub late_divisor: f64,
    /// Minutes for which a lone low-voltage call may be held so that its neighbours join it.
    pub hold_minutes: f64,
    /// How near a neighbour is, in kilometres.
    pub hold_km: f64,
    /// Crews weighed for a ticket during improvement, instead of the horizon's.
    pub candidates_max: usize,
}

/// How deep and how long is planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Horizon {
    /// Tickets a crew is planned ahead, at most.
    pub stops_max: usize,
    /// A ticket that is left out is priced as if a crew arrived in so many minutes.
    pub unplanned_minutes: f64,
    /// Crews weighed for a ticket during improvement.
    pub candidates_max: usize,
    /// Iterations of improvement per slice.
    pub slice_iterations: u64,
    /// Slices per period.
    pub slices: u32,
    /// Seconds between two periods of improvement.
    pub period_seconds: u32,
}

/// The skills that a category takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkillRule {
    /// The category, or one above it.
    pub category: Category,
    /// The skills.
    pub needs: Skills,
}

impl Policy {
    /// Minutes from the report within which a crew is promised on site.
    #[must_use]
    pub fn arrival_minutes(&self, area: Area) -> u32 {
        match area {
            Area::Urban => self.offers.arrival_urban,
            Area::Rural => self.offers.arrival_rural,
            Area::Remote => self.offers.arrival_remote,
        }
    }

    /// The skills that a category takes; low voltage where the policy says nothing.
    #[must_use]
    pub fn skills_of(&self, category: Option<&Category>) -> Skills {
        let longest = category.and_then(|category| {
            let fits = self.skills.iter().filter(|rule| rule.category.contains(category));
            fits.max_by_key(|rule| rule.category.as_str().len())
        });
        longest.map_or(Skills::of(&[Skill::LowVoltage]), |rule| rule.needs)
    }

    /// The median time on site for so many customers, in minutes.
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
