//! Solomon's problem (VRPTW): vehicles of equal capacity start at one depot and serve customers within hard time
//! windows. The objective is the total distance. Distances are truncated to one decimal, as in the exact methods whose
//! optimal values are the comparison. A plan may use any number of vehicles up to the fleet of the file.

use switchboard_dispatcher::search::{Model, Order, Settings};

use super::Problem;
use crate::Outcome;

/// The price of an unserved customer, in tenths; higher than that of any tour.
const UNSERVED: f64 = 1e6;

/// The depot (number 0) or a customer, with its time window. Times are in tenths.
#[derive(Clone, Copy, Debug)]
struct Site {
    x: f64,
    y: f64,
    demand: i32,
    ready: i32,
    due: i32,
    service: i32,
}

/// One instance. Job `j` is customer `j + 1`.
#[derive(Debug)]
pub struct Solomon {
    vehicles: usize,
    capacity: i32,
    sites: Vec<Site>,
    /// The distances between sites in tenths, row by row.
    distances: Vec<i32>,
    near: Vec<Vec<u32>>,
}

/// A stop, with the times that decide whether a customer fits before or after it. Times are in tenths.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    site: u32,
    /// The earliest departure from the stop.
    departs: i32,
    /// The latest start of service at which the rest of the route is still in time.
    latest: i32,
}

/// The stored state of a route: its stops, with the depot first and last, and its load.
#[derive(Clone, Debug, Default)]
pub struct Tour {
    stops: Vec<Stop>,
    load: i32,
}

impl Solomon {
    fn distance(&self, from: u32, to: u32) -> i32 {
        self.distances[from as usize * self.sites.len() + to as usize]
    }

    fn site(&self, site: u32) -> &Site {
        &self.sites[site as usize]
    }
}

/// Returns the distance in tenths, truncated.
fn tenths(a: &Site, b: &Site) -> i32 {
    ((a.x - b.x).hypot(a.y - b.y) * 10.0 + 1e-9) as i32
}

impl Model for Solomon {
    type Memory = Tour;

    fn jobs(&self) -> usize {
        self.sites.len() - 1
    }

    fn routes(&self) -> usize {
        self.vehicles
    }

    fn near(&self, job: u32) -> &[u32] {
        &self.near[job as usize]
    }

    fn candidates(&self, _job: u32) -> Option<&[u32]> {
        None
    }

    fn interchangeable(&self) -> bool {
        true
    }

    fn unplanned(&self, _job: u32) -> f64 {
        UNSERVED
    }

    fn price(&self, _route: u32, stops: &[u32], tour: &mut Tour) -> f64 {
        tour.stops.clear();
        tour.load = 0;
        let (mut length, mut departs, mut before) = (0, 0, 0);
        tour.stops.push(Stop { site: 0, departs: 0, latest: 0 });
        for site in stops.iter().map(|job| job + 1).chain([0]) {
            let (way, at) = (self.distance(before, site), self.site(site));
            length += way;
            departs = (departs + way).max(at.ready) + at.service;
            tour.load += at.demand;
            tour.stops.push(Stop { site, departs, latest: at.due });
            before = site;
        }
        for at in (1..tour.stops.len() - 1).rev() {
            let (stop, next) = (tour.stops[at], tour.stops[at + 1]);
            let in_time = next.latest - self.distance(stop.site, next.site) - self.site(stop.site).service;
            tour.stops[at].latest = stop.latest.min(in_time);
        }
        f64::from(length)
    }

    fn cheapest<B: FnMut() -> bool>(
        &self,
        _route: u32,
        _stops: &[u32],
        tour: &Tour,
        job: u32,
        blink: &mut B,
    ) -> Option<(usize, f64)> {
        let customer = job + 1;
        let to = self.site(customer);
        if tour.load + to.demand > self.capacity {
            return None;
        }
        let ways = &self.distances[customer as usize * self.sites.len()..][..self.sites.len()];
        let mut best = None;
        let mut limit = i32::MAX;
        for (at, pair) in tour.stops.windows(2).enumerate() {
            let (before, after) = (pair[0], pair[1]);
            let arrives = before.departs + ways[before.site as usize];
            if arrives > to.due {
                break;
            }
            let onward = ways[after.site as usize];
            if arrives.max(to.ready) + to.service + onward > after.latest {
                continue;
            }
            let rise = ways[before.site as usize] + onward - self.distance(before.site, after.site);
            if rise < limit && !blink() {
                limit = rise;
                best = Some((at, f64::from(rise)));
            }
        }
        best
    }

    fn key(&self, job: u32, order: Order) -> f64 {
        let site = self.site(job + 1);
        let key = match order {
            Order::Random => 0,
            Order::Demand => -site.demand,
            Order::Far => -self.distance(0, job + 1),
            Order::Close => self.distance(0, job + 1),
            Order::Narrow => site.due - site.ready,
            Order::Early => site.ready,
            Order::Due => site.due,
        };
        f64::from(key)
    }
}

impl Problem for Solomon {
    const FOLDER: &str = "vrptw";
    const BEST: &str = "opt_distance_trunc1";

    fn read(text: &str) -> Outcome<Self> {
        // Only lines of numbers count: first the fleet, then the depot, then one line per customer.
        let rows = text.lines().filter_map(|line| {
            line.split_whitespace().map(|word| word.parse::<f64>().ok()).collect::<Option<Vec<f64>>>()
        });
        let mut rows = rows.filter(|row| !row.is_empty());
        let fleet = rows.next().filter(|row| row.len() == 2).ok_or("no number and capacity of vehicles")?;
        let mut sites = Vec::new();
        for row in rows {
            let [_, x, y, demand, ready, due, service] = row[..] else {
                return Err(format!("a site has seven columns, not {}", row.len()).into());
            };
            let tenths = |time: f64| (time * 10.0) as i32;
            let (ready, due, service) = (tenths(ready), tenths(due), tenths(service));
            sites.push(Site { x, y, demand: demand as i32, ready, due, service });
        }
        if sites.is_empty() {
            return Err("no depot".into());
        }
        let distances: Vec<i32> = sites.iter().flat_map(|a| sites.iter().map(|b| tenths(a, b))).collect();
        let near = super::nearest(sites.len() - 1, |a, b| distances[(a + 1) * sites.len() + b + 1].into());
        Ok(Self { vehicles: fleet[0] as usize, capacity: fleet[1] as i32, sites, distances, near })
    }

    fn settings() -> Settings {
        Settings { hot: 200.0, cold: 3.0, ..Settings::default() }
    }

    fn check(&self, routes: &[Vec<u32>]) -> Result<f64, String> {
        let mut served = vec![0; self.jobs()];
        let mut length = 0.0;
        if routes.len() > self.vehicles {
            return Err(format!("{} vehicles", routes.len()));
        }
        for route in routes {
            let (mut time, mut load, mut from) = (0.0, 0, &self.sites[0]);
            for to in route.iter().map(|job| *job as usize + 1).chain([0]) {
                let site = &self.sites[to];
                let way = ((from.x - site.x).powi(2) + (from.y - site.y).powi(2)).sqrt();
                let way = (way * 10.0 + 1e-9).floor() / 10.0;
                length += way;
                time = f64::max(time + way, f64::from(site.ready) / 10.0);
                if time > f64::from(site.due) / 10.0 + 1e-6 {
                    return Err(format!("{to} is reached at {time}"));
                }
                time += f64::from(site.service) / 10.0;
                load += site.demand;
                if to > 0 {
                    served[to - 1] += 1;
                }
                from = site;
            }
            if load > self.capacity {
                return Err(format!("a load of {load}"));
            }
        }
        match served.iter().position(|times| *times != 1) {
            Some(job) => Err(format!("{} is served {} times", job + 1, served[job])),
            None => Ok(length),
        }
    }
}
