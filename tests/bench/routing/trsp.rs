//! The technician routing and scheduling problem (TRSP; Pillac, Gueret and Medaglia 2013, on Solomon's places).
//!
//! Technicians start and end at home, and serve requests within hard time windows. Each has skills, some tools and some
//! spare parts. Skills are fixed. After a visit to the central depot, a technician has all tools and unlimited parts.
//! The objective is the sum of the working times. The working time of a technician in use runs from the latest possible
//! start to the end.
//!
//! A route stores the requests only. If a technician needs the depot, the model puts the visit where it costs least.

use switchboard_dispatcher::search::{Model, Order, Settings};

use super::Problem;
use crate::Outcome;

/// The price of an unserved request; higher than the working time of any route.
const UNSERVED: f64 = 1e5;

/// The tolerance for rounding, when sums of times are compared.
const ROUNDING: f64 = 1e-9;

/// The most kinds of spare parts of an instance.
const PARTS_MAX: usize = 8;

/// The number of spare parts of each kind.
type Parts = [u16; PARTS_MAX];

/// The depot (number 0), a home or a request.
#[derive(Clone, Debug)]
struct Site {
    x: f64,
    y: f64,
    opens: f64,
    closes: f64,
    service: f64,
    /// The skills that a technician has or a request needs, as a bit set.
    skills: u32,
    /// The tools that a technician has or a request needs, as a bit set.
    tools: u32,
    /// The parts that a technician has or a request uses up.
    parts: Parts,
}

/// One instance. Route `t` is the technician at site `1 + t`, job `j` the request at site `1 + technicians + j`.
#[derive(Debug)]
pub struct Technicians {
    technicians: usize,
    sites: Vec<Site>,
    distances: Vec<f64>,
    near: Vec<Vec<u32>>,
    /// The technicians with the skills for each job.
    able: Vec<Vec<u32>>,
}

/// A piece of a route: its least duration, and the range of starts at which it takes no longer.
#[derive(Clone, Copy, Debug)]
struct Piece {
    lasts: f64,
    earliest: f64,
    latest: f64,
    first: u32,
    last: u32,
}

/// The stored state of a route: its pieces, so that pricing an insertion joins only three or four of them.
#[derive(Clone, Debug, Default)]
pub struct Day {
    /// From home to before stop `i`, without the depot.
    front: Vec<Piece>,
    /// From stop `i` to home, without the depot.
    back: Vec<Piece>,
    /// From home to before stop `i`, with a depot visit before stop `d`; at index `d * (stops + 1) + i`. `None` if not
    /// possible in time.
    over: Vec<Option<Piece>>,
    /// The spare parts used up to stop `i`, including it.
    used: Vec<Parts>,
    /// The first stop that needs a tool that the technician does not have; `usize::MAX` if there is none.
    lacks_tool: usize,
    /// The first stop at which the technician's own parts do not suffice; `usize::MAX` if there is none.
    lacks_parts: usize,
    price: f64,
}

impl Technicians {
    fn distance(&self, from: u32, to: u32) -> f64 {
        self.distances[from as usize * self.sites.len() + to as usize]
    }

    fn site(&self, site: u32) -> &Site {
        &self.sites[site as usize]
    }

    fn home(&self, route: u32) -> u32 {
        1 + route
    }

    fn request(&self, job: u32) -> u32 {
        (1 + self.technicians) as u32 + job
    }

    fn at(&self, site: u32) -> Piece {
        let Site { opens, closes, service, .. } = *self.site(site);
        Piece { lasts: service, earliest: opens, latest: closes, first: site, last: site }
    }

    /// Returns `a` followed by `b`; `None` if `b` cannot be reached in time.
    fn join(&self, a: Piece, b: Piece) -> Option<Piece> {
        let until = a.lasts + self.distance(a.last, b.first);
        if a.earliest + until > b.latest + ROUNDING {
            return None;
        }
        let waits = (b.earliest - until - a.latest).max(0.0);
        Some(Piece {
            lasts: until + b.lasts + waits,
            earliest: (b.earliest - until).max(a.earliest) - waits,
            latest: (b.latest - until).min(a.latest),
            first: a.first,
            last: b.last,
        })
    }

    /// Returns the first stop at which the used parts and `more` exceed the technician's own; `usize::MAX` if there is
    /// none.
    fn lacks(&self, own: &Parts, used: &[Parts], more: &Parts) -> usize {
        used.iter().position(|used| exceeds(own, used, more)).unwrap_or(usize::MAX)
    }
}

/// True if the used parts and `more` exceed the technician's own, in any kind.
fn exceeds(own: &Parts, used: &Parts, more: &Parts) -> bool {
    own.iter().zip(used).zip(more).any(|((own, used), more)| used + more > *own)
}

/// Returns the last stop before which the depot may be visited, if a job is inserted at position `at`. The index counts
/// the inserted job as a stop. `None` if the route needs no depot visit.
fn needed(at: usize, day: &Day, tool_missing: bool, parts_from: usize) -> Option<usize> {
    let already = day.lacks_tool.min(day.lacks_parts);
    if already < at {
        return Some(already);
    }
    if tool_missing || parts_from < at {
        return Some(at);
    }
    let later = day.lacks_tool.min(parts_from);
    (later != usize::MAX).then(|| later + 1)
}

impl Model for Technicians {
    type Memory = Day;

    fn jobs(&self) -> usize {
        self.near.len()
    }

    fn routes(&self) -> usize {
        self.technicians
    }

    fn near(&self, job: u32) -> &[u32] {
        &self.near[job as usize]
    }

    fn candidates(&self, job: u32) -> Option<&[u32]> {
        Some(&self.able[job as usize])
    }

    fn unplanned(&self, _job: u32) -> f64 {
        UNSERVED
    }

    fn price(&self, route: u32, stops: &[u32], day: &mut Day) -> f64 {
        let home = self.home(route);
        let (own, count) = (self.site(home), stops.len());
        let sites: Vec<u32> = stops.iter().map(|job| self.request(*job)).collect();
        // Stands for a piece that cannot be done in time. `join` with it, on either side, returns `None`.
        let never =
            Piece { lasts: f64::INFINITY, earliest: f64::INFINITY, latest: f64::NEG_INFINITY, first: 0, last: 0 };
        day.front.clear();
        day.front.push(self.at(home));
        for site in &sites {
            let piece = self.join(day.front[day.front.len() - 1], self.at(*site));
            day.front.push(piece.unwrap_or(never));
        }
        day.back.clear();
        day.back.resize(count + 1, self.at(home));
        for at in (0..count).rev() {
            day.back[at] = self.join(self.at(sites[at]), day.back[at + 1]).unwrap_or(never);
        }
        day.used.clear();
        let mut used = Parts::default();
        for site in &sites {
            let more = &self.site(*site).parts;
            used.iter_mut().zip(more).for_each(|(used, more)| *used += more);
            day.used.push(used);
        }
        day.lacks_parts = self.lacks(&own.parts, &day.used, &Parts::default());
        let lacks = |site: &u32| self.site(*site).tools & !own.tools != 0;
        day.lacks_tool = sites.iter().position(lacks).unwrap_or(usize::MAX);
        day.over.clear();
        day.over.resize((count + 1) * (count + 1), None);
        let latest = day.lacks_parts.min(day.lacks_tool);
        for depot in 0..=count.min(latest) {
            let mut piece = self.join(day.front[depot], self.at(0));
            for at in depot..=count {
                day.over[depot * (count + 1) + at] = piece;
                if let Some(site) = sites.get(at) {
                    piece = piece.and_then(|piece| self.join(piece, self.at(*site)));
                }
            }
        }
        day.price = if count == 0 {
            0.0
        } else if latest == usize::MAX {
            self.join(day.front[count], day.back[count]).map_or(UNSERVED, |piece| piece.lasts)
        } else {
            let days =
                (0..=latest).filter_map(|depot| self.join(day.over[depot * (count + 1) + count]?, day.back[count]));
            days.map(|piece| piece.lasts).fold(UNSERVED, f64::min)
        };
        day.price
    }

    fn cheapest<B: FnMut() -> bool>(
        &self,
        route: u32,
        stops: &[u32],
        day: &Day,
        job: u32,
        blink: &mut B,
    ) -> Option<(usize, f64)> {
        let site = self.request(job);
        let (own, wants, count) = (self.site(self.home(route)), self.site(site), stops.len());
        let tool_missing = wants.tools & !own.tools != 0;
        let out_of_parts = exceeds(&own.parts, &Parts::default(), &wants.parts);
        let parts_from = self.lacks(&own.parts, &day.used, &wants.parts);
        let (visit, depot) = (self.at(site), self.at(0));
        let mut best: Option<(usize, f64)> = None;
        for at in 0..=count {
            // The route without a depot visit is the shortest. If the job is late at this position, it is late at every
            // later one.
            let Some(front) = self.join(day.front[at], visit) else { break };
            let back = day.back[at];
            if front.earliest + front.lasts + self.distance(front.last, back.first) > back.latest + ROUNDING || blink()
            {
                continue;
            }
            let mut limit = best.map_or(f64::INFINITY, |(_, rise)| rise + day.price);
            let mut offer = |whole: Option<Piece>| {
                if let Some(whole) = whole.filter(|whole| whole.lasts < limit) {
                    limit = whole.lasts;
                    best = Some((at, whole.lasts - day.price));
                }
            };
            let Some(last) = needed(at, day, tool_missing || out_of_parts, parts_from) else {
                offer(self.join(front, back));
                continue;
            };
            for before in 0..=last.min(at) {
                let over = day.over[before * (count + 1) + at];
                offer(over.and_then(|over| self.join(self.join(over, visit)?, back)));
            }
            // The depot visit between the job and a later stop.
            let mut front = Some(front);
            for next in at..last {
                offer(front.and_then(|front| self.join(self.join(front, depot)?, day.back[next])));
                front = front.and_then(|front| self.join(front, self.at(self.request(*stops.get(next)?))));
            }
        }
        best
    }

    fn key(&self, job: u32, order: Order) -> f64 {
        let site = self.request(job);
        let of = self.site(site);
        match order {
            Order::Random => 0.0,
            // Requests that the fewest technicians can serve come first.
            Order::Demand => self.able[job as usize].len() as f64,
            Order::Far => -self.distance(0, site),
            Order::Close => self.distance(0, site),
            Order::Narrow => of.closes - of.opens,
            Order::Early => of.opens,
            Order::Due => of.closes,
        }
    }
}

impl Problem for Technicians {
    const FOLDER: &str = "trsp";
    const BEST: &str = "bks_total_working_time";

    fn read(text: &str) -> Outcome<Self> {
        let mut lines = text.lines();
        lines.find(|line| line.starts_with("CREW COUNT")).ok_or("no crew count")?;
        let counts = lines.next().ok_or("no counts")?;
        let technicians: usize = counts.split_whitespace().next().ok_or("no counts")?.parse()?;
        lines.find(|line| line.starts_with("ID")).ok_or("no head of the sites")?;
        let sites = lines.filter(|line| !line.trim().is_empty()).map(site).collect::<Outcome<Vec<_>>>()?;
        if sites.len() <= technicians {
            return Err(format!("{} sites for {technicians} technicians", sites.len()).into());
        }
        let distance = |a: &Site, b: &Site| (a.x - b.x).hypot(a.y - b.y);
        let distances: Vec<f64> = sites.iter().flat_map(|a| sites.iter().map(|b| distance(a, b))).collect();
        let requests = &sites[technicians + 1..];
        let near = super::nearest(requests.len(), |a, b| distance(&requests[a], &requests[b]));
        let is_able = |technician: usize, job: &Site| job.skills & !sites[1 + technician].skills == 0;
        let able = |job| (0..technicians).filter(|technician| is_able(*technician, job)).map(|t| t as u32).collect();
        let able = requests.iter().map(able).collect();
        Ok(Self { technicians, distances, near, able, sites })
    }

    fn settings() -> Settings {
        Settings { hot: 30.0, cold: 1.0, ..Settings::default() }
    }

    fn check(&self, routes: &[Vec<u32>]) -> Result<f64, String> {
        let mut served = vec![0; self.jobs()];
        routes.iter().flatten().for_each(|job| served[*job as usize] += 1);
        if let Some(job) = served.iter().position(|times| *times != 1) {
            return Err(format!("request {job} is served {} times", served[job]));
        }
        let mut sum = 0.0;
        for (technician, jobs) in routes.iter().enumerate().filter(|(_, jobs)| !jobs.is_empty()) {
            let home = &self.sites[1 + technician];
            let jobs: Vec<&Site> = jobs.iter().map(|job| &self.sites[1 + self.technicians + *job as usize]).collect();
            let days = (0..=jobs.len()).map(|depot| {
                let mut way = jobs.clone();
                // A depot visit after the last request has no use. This index stands for the day without a visit.
                if depot < jobs.len() {
                    way.insert(depot, &self.sites[0]);
                }
                is_equipped(home, &way, &self.sites[0]).then(|| working_time(home, &way)).flatten()
            });
            let shortest = days.flatten().min_by(f64::total_cmp);
            sum += shortest.ok_or_else(|| format!("technician {technician} cannot do it"))?;
        }
        Ok(sum)
    }
}

/// Reads a site: id, x, y, opening, closing, service time, skills, tools and parts. For example:
/// `26   41   49   161   171   10   [1]   [1,4]   [0,0,0,1,0]`
fn site(line: &str) -> Outcome<Site> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, numbers @ .., skills, tools, parts] = &words[..] else { return Err(format!("no site: {line}").into()) };
    let numbers = numbers.iter().map(|word| word.parse()).collect::<Result<Vec<f64>, _>>()?;
    let [x, y, opens, closes, service] = numbers[..] else { return Err(format!("no site: {line}").into()) };
    let list = |word: &str| -> Outcome<Vec<u16>> {
        let inner = word.trim_matches(['[', ']']);
        Ok(inner.split(',').filter(|word| !word.is_empty()).map(str::parse).collect::<Result<_, _>>()?)
    };
    let set = |word: &str| -> Outcome<u32> { Ok(list(word)?.into_iter().fold(0, |set, bit| set | 1 << bit)) };
    let mut counts = Parts::default();
    let listed = list(parts)?;
    counts.get_mut(..listed.len()).ok_or("too many kinds of parts")?.copy_from_slice(&listed);
    Ok(Site { x, y, opens, closes, service, skills: set(skills)?, tools: set(tools)?, parts: counts })
}

/// True if skills, tools and parts suffice at every site of the way. Tools and parts suffice anywhere after the depot.
fn is_equipped(home: &Site, way: &[&Site], depot: &Site) -> bool {
    let (mut tools, mut parts) = (home.tools, home.parts.map(i32::from));
    way.iter().all(|site| {
        if std::ptr::eq(*site, depot) {
            (tools, parts) = (u32::MAX, [i32::MAX / 2; PARTS_MAX]);
        }
        parts.iter_mut().zip(site.parts).for_each(|(left, used)| *left -= i32::from(used));
        site.skills & !home.skills == 0 && site.tools & !tools == 0 && parts.iter().all(|left| *left >= 0)
    })
}

/// Returns the time from the latest start that is in time at every site, to the end; `None` if there is no such start.
fn working_time(home: &Site, way: &[&Site]) -> Option<f64> {
    let legs: Vec<&Site> = [home].into_iter().chain(way.iter().copied()).chain([home]).collect();
    let travel = |a: &Site, b: &Site| ((a.x - b.x).powi(2) + (a.y - b.y).powi(2)).sqrt();
    let latest = legs
        .windows(2)
        .rev()
        .fold(home.closes, |latest, pair| (latest - travel(pair[0], pair[1]) - pair[0].service).min(pair[0].closes));
    let mut time = latest;
    for pair in legs.windows(2) {
        time = (time + pair[0].service + travel(pair[0], pair[1])).max(pair[1].opens);
        if time > pair[1].closes + 1e-6 {
            return None;
        }
    }
    (latest >= home.opens - 1e-6).then_some(time - latest)
}
