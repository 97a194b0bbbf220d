//! Intake: takes over the board's state of the marked jobs and crews, and marks the jobs that need a place as untried.

use std::collections::BTreeSet;

use switchboard_domain::{
    Timestamp,
    crew::{Skill, Skills},
    ticket::TicketId,
};

use super::{Planner, demand::Call, job_index::Place, timers::Whose};
use crate::{
    board::{Board, Concerns, Crew, Job},
    model::Memory,
    policy::Policy,
    rules::{fairness, presence, safety, skill},
    scene::Task,
    travel,
};

/// The neighbours examined around a lone call. One is enough to release it; held neighbours are released with it.
const NEIGHBOURS_MAX: usize = 4;

impl Planner {
    /// Takes over the state of the marked jobs and crews. A marked job that may be planned leaves its route and becomes
    /// untried. Returns the crews that may have room.
    pub(super) fn take_in(&mut self, board: &Board, now: f64) -> BTreeSet<u32> {
        let mut underfilled = std::mem::take(&mut self.underfilled);
        // The progress of a job decides when its crew will be free.
        let has = self.jobs_marked.iter().filter_map(|ticket| Some(&board.jobs.get(ticket)?.crew.as_ref()?.crew));
        self.crews_marked.extend(has.cloned());
        let crews = std::mem::take(&mut self.crews_marked);
        let teams: Vec<u32> = crews.iter().map(|crew| self.roster.number(crew)).collect();
        for (crew, &team) in crews.iter().zip(&teams) {
            self.take_crew(board, board.crews.get(crew), team, now);
        }
        teams.iter().for_each(|team| self.compare(*team));
        for ticket in std::mem::take(&mut self.jobs_marked) {
            let was = self.job_index.index.get(&ticket).map(|job| self.job_index.entry(*job).place);
            let place = self.take_job(board.jobs.get(&ticket), ticket, now);
            if let (Place::Waiting, Some(&job)) = (place, self.job_index.index.get(&ticket)) {
                self.job_index.try_soon(job);
            }
            if let (Some(Place::Routed(team)), Place::Closed) = (was, place) {
                underfilled.insert(team);
            }
        }
        self.switch_storm();
        if !self.storm {
            while let Some(&job) = self.job_index.held.first() {
                self.job_index.put(job, Place::Waiting);
                self.job_index.try_soon(job);
            }
        }
        self.roster.learn(self.job_index.units(), &teams);
        for team in teams {
            self.review(team, now);
            underfilled.insert(team);
        }
        underfilled.retain(|team| self.roster.member(*team).is_planned(now));
        underfilled
    }

    fn take_crew(&mut self, board: &Board, crew: Option<&Crew>, team: u32, now: f64) {
        let Some(frame) = self.frame else { return };
        let before = self.roster.member(team).reserved;
        let terms = self.terms(now);
        self.roster.take(team, crew, board, &frame, &terms);
        self.stir_crew(team);
        let after = self.roster.member(team).reserved;
        if before != after {
            self.jobs_marked.extend(before.into_iter().chain(after));
        }
        // The crew's shifts and absences decide whether its pinned jobs can be planned.
        let pinned = self.job_index.pinned.get(&team).into_iter().flatten();
        self.jobs_marked.extend(pinned.map(|job| self.job_index.entry(*job).ticket));
        let instants = crew.into_iter().flat_map(|crew| {
            let breaks = crew.shift.iter().flat_map(|shift| &shift.breaks);
            let ends = crew.shift.iter().map(|shift| shift.until);
            let falls_silent = crew.shift.iter().map(|_| presence::falls_silent(&self.policy.offers, crew));
            breaks.flat_map(|rest| [rest.from, rest.until]).chain(ends).chain(falls_silent)
        });
        self.timers.set(Whose::Crew(team), instants, frame.instant(now));
        self.attention.insert(team);
    }

    /// Compares a crew with the others: its fairness price, and the tickets that would miss it if it were not free.
    pub(super) fn compare(&mut self, team: u32) {
        let member = self.roster.member(team);
        let mean = self.roster.mean_worked(member.team.skills);
        let unfair = fairness::unfair(self.policy.weights.fairness_hour, member.worked, mean);
        let missed = if member.idle { self.roster.missed(team) } else { 0.0 };
        let team = &mut self.roster.members[team as usize].team;
        (team.unfair, team.missed) = (unfair, missed);
    }

    fn take_job(&mut self, job: Option<&Job>, ticket: TicketId, now: f64) -> Place {
        if job.is_none() && !self.job_index.index.contains_key(&ticket) {
            return Place::Closed;
        }
        let number = self.job_index.number(ticket);
        self.unroute(number, Place::Closed);
        self.unpin(number);
        self.job_index.open -= usize::from(std::mem::replace(&mut self.job_index.entry_mut(number).open, false));
        self.job_index.unask(number);
        let (Some(job), Some(frame)) = (job, self.frame) else {
            self.timers.set(Whose::Job(number), std::iter::empty(), Timestamp::MAX_UTC);
            self.job_index.forget(ticket);
            return Place::Closed;
        };
        self.take_words(job, number, now);
        let entry = self.job_index.entry(number);
        let (open, asked) = (entry.open, !entry.asked.is_empty());
        let mut instants: Vec<f64> = entry.excluded.iter().chain(&entry.left).map(|(_, until)| *until).collect();
        instants.extend(job.opens.filter(|_| entry.early).map(|opens| frame.minutes(opens)));
        let mut place = Place::Closed;
        if open && asked {
            self.job_index.ask(number);
        } else if open {
            place = Place::Waiting;
            if let Some(until) = self.held_until(job, number, now) {
                instants.push(until);
                place = Place::Held;
            }
        }
        let instants: Vec<_> = instants.into_iter().map(|until| self.passed(until)).collect();
        self.timers.set(Whose::Job(number), instants.into_iter(), frame.instant(now));
        self.job_index.put(number, place);
        place
    }

    /// Takes over the board's description of a job.
    fn take_words(&mut self, job: &Job, number: u32, now: f64) {
        let Some(frame) = self.frame else { return };
        let mut task = Task::of(&self.policy, &frame, job);
        let unit = self.job_index.unit(&job.holder);
        let has = job.crew.as_ref().map(|has| self.roster.number(&has.crew));
        // A crew that is not on the roster gets a number too, because it may return and so may its tickets.
        let pinned = job.pinned.as_ref().map(|(crew, forced)| (self.roster.number(crew), forced.clone()));
        let excluded = job.excluded.iter().map(|(crew, until)| (self.roster.number(crew), frame.minutes(*until)));
        let excluded: Vec<_> = excluded.filter(|(_, until)| *until > now).collect();
        let mut asked: Vec<u32> = job.offers.iter().map(|live| self.roster.number(&live.crew)).collect();
        asked.extend(self.roster.reserved_for(job.ticket));
        asked.sort_unstable();
        asked.dedup();
        task.last_offered_to = job.last_offered_to.as_ref().map(|crew| self.roster.number(crew));
        self.job_index.tasks[number as usize] = task;
        let waits = job.needs_crew();
        let early = waits && job.opens.is_some_and(|opens| now < frame.minutes(opens));
        let open = waits && !early;
        self.job_index.open += usize::from(open);
        if let Some((team, _)) = pinned {
            self.job_index.pinned.entry(team).or_default().insert(number);
        }
        self.time_drive(job, number, has, now);
        let left = job.left.iter().map(|(crew, until)| (self.roster.number(crew), frame.minutes(*until)));
        let left: Vec<_> = left.filter(|(_, until)| *until > now).collect();
        let (policy, weight) = (&self.policy, task.weight());
        let priority = safety::is_priority(policy, job, weight);
        let needs = skill::needed(policy, job);
        let entry = self.job_index.entry_mut(number);
        (entry.unit, entry.has, entry.pinned, entry.open) = (unit, has, pinned, open);
        (entry.early, entry.lapsed) = (early, job.lapsed);
        (entry.excluded, entry.left, entry.asked) = (excluded, left, asked);
        (entry.priority, entry.needs) = (priority, needs);
        if open && !std::mem::replace(&mut entry.counted, true) {
            self.count_call(job, number);
        }
    }

    /// Learns from a drive that has ended, and records the expected duration of a drive that begins.
    fn time_drive(&mut self, job: &Job, number: u32, has: Option<u32>, now: f64) {
        let (entry, travel) = (self.job_index.entry(number), &self.policy.travel);
        let (Some(frame), Some(crew), Some(team)) = (self.frame, &job.crew, has) else { return };
        if has != entry.has {
            let task = self.job_index.task(number);
            let member = self.roster.member(team);
            // The start of a drive is known only if the crew got the ticket less than a minute ago.
            let begins = member.present && crew.arrived.is_none() && now - frame.minutes(crew.since) < 1.0;
            let from = begins.then_some(member.at);
            let km = from.and_then(|from| Some(from.km(task.spot?)));
            let drive = km.map(|km| travel::minutes(travel, km, task.area));
            self.job_index.entry_mut(number).drive = drive;
        } else if let (Some(expected), Some(sets_out), Some(arrived)) = (entry.drive, crew.en_route, crew.arrived) {
            // A crew that reports its departure at once still needs its turn-out time.
            let accepted = frame.minutes(crew.since);
            let leaves = frame.minutes(sets_out).max(accepted + travel::turn_out(travel, accepted));
            self.pace.learn(expected, frame.minutes(arrived) - leaves);
            self.job_index.entry_mut(number).drive = None;
        }
    }

    /// Records the ticket as demand. Its reach is the distance from which a crew arrives in time even if the trip lasts
    /// as long as the 90th percentile.
    fn count_call(&mut self, job: &Job, number: u32) {
        let Some(spot) = self.job_index.task(number).spot else { return };
        let travel = &self.policy.travel;
        let promise = f64::from(self.policy.arrival_minutes(job.area));
        let minutes = (promise - travel.turn_out_day) / travel.p90.max(1.0);
        let reach_km = travel::reach_km(travel, minutes, job.area);
        self.roster.note(Call { spot, needs: self.job_index.entry(number).needs, reach_km });
    }

    fn unpin(&mut self, number: u32) {
        let before = self.job_index.entry(number).pinned.as_ref().map(|(team, _)| *team);
        if let Some(jobs) = before.and_then(|team| self.job_index.pinned.get_mut(&team)) {
            jobs.remove(&number);
        }
    }

    /// Until when a lone low-voltage call is held for neighbours; `None` when it need not wait or already has
    /// neighbours. Held neighbours are marked, because they need not wait any more either.
    fn held_until(&mut self, job: &Job, number: u32, now: f64) -> Option<f64> {
        let task = self.job_index.task(number);
        let spot = task.spot?;
        let until = task.reported + self.policy.storm.hold_minutes;
        let mut found = Vec::new();
        self.job_index.grid.near(spot, NEIGHBOURS_MAX, &mut found);
        found.retain(|(km, other)| *other != number && *km <= self.policy.storm.hold_km);
        for (_, other) in &found {
            if self.job_index.entry(*other).place == Place::Held {
                // Intake will release it, because it has a neighbour now.
                self.jobs_marked.insert(self.job_index.entry(*other).ticket);
            }
        }
        let holds = self.storm && now < until && found.is_empty() && is_lone_call(&self.policy, job);
        holds.then_some(until)
    }

    /// Checks a crew's route. A stop that the crew may no longer serve, or would reach after its shift, leaves the
    /// route and becomes untried.
    pub(super) fn review(&mut self, team: u32, now: f64) {
        let member = self.roster.member(team);
        let planned = member.is_planned(now);
        let stays = |job: &u32| planned && member.may(self.job_index.entry(*job), now);
        let gone: Vec<u32> = member.route.iter().filter(|job| !stays(job)).copied().collect();
        for job in gone {
            self.unroute(job, Place::Waiting);
            self.job_index.try_soon(job);
        }
        let mut memory = Memory::default();
        while !self.roster.member(team).route.is_empty() {
            let terms = self.terms(now);
            let walk = self.walk(&terms);
            let member = self.roster.member(team);
            walk.price(&walk.start(&member.team), &member.route, &mut memory);
            let last = member.route[member.route.len() - 1];
            // A pinned stop stays, however late its arrival.
            if memory.is_sound() || self.job_index.entry(last).pinned.is_some() {
                break;
            }
            self.unroute(last, Place::Waiting);
            self.job_index.try_soon(last);
        }
    }

    /// Switches storm mode on or off by the load.
    fn switch_storm(&mut self) {
        let load = self.job_index.open as f64 / self.roster.on_shift.max(1) as f64;
        let limit = if self.storm { self.policy.storm.load_over } else { self.policy.storm.load };
        let storm = load > limit && self.roster.on_shift > 0;
        if std::mem::replace(&mut self.storm, storm) != storm {
            self.searching = None;
        }
        self.load = load;
    }
}

/// True for the unpinned low-voltage call of a single customer without any concern: storm mode may hold it for a few
/// minutes.
fn is_lone_call(policy: &Policy, job: &Job) -> bool {
    let calm = job.concerns == Concerns::default();
    let low = skill::needed(policy, job) == Skills::of(&[Skill::LowVoltage]);
    job.customers <= 1 && calm && job.pinned.is_none() && low
}
