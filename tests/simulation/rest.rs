//! The conditions at rest, when the process has no more actions. Both streams of every offer agree, no reservation or
//! commitment is left over, and each open ticket has an offer, a crew, or a true reason. The reasons are checked
//! against the log and the board, not against the planner.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::Value;
use switchboard_dispatcher::{dispatch::Dispatch, plan::Waits, policy::Policy};
use switchboard_domain::{
    Timestamp,
    crew::{Absence, Crew, CrewId, OfferEnd},
    ticket::{BusinessType, Move, Ticket, TicketId, legal_of},
};

use crate::{engine::Driver, store::Store, watch::Watch};

/// A crew whose shift lasts at least this many minutes more can reach any place of the town before its end.
const REACHES_ANY_MINUTES: i64 = 180;

type Verdict = Result<(), String>;

fn claim(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(what()) }
}

/// Checks all conditions.
pub fn all_agree(
    store: &Store,
    process: &Dispatch,
    policy: &Policy,
    now: Timestamp,
    waits: &mut BTreeMap<&'static str, u64>,
) -> Verdict {
    let rest = Rest { store, process, policy, now };
    store.crews.iter().try_for_each(|(id, crew)| rest.crew(id, crew))?;
    store.tickets.iter().try_for_each(|(id, ticket)| rest.ticket(*id, ticket))?;
    for (id, ticket) in &store.tickets {
        if let Some(why) = rest.open(*id, ticket)? {
            *waits.entry(why.as_str()).or_default() += 1;
        }
    }
    Ok(())
}

struct Rest<'w> {
    store: &'w Store,
    process: &'w Dispatch,
    policy: &'w Policy,
    now: Timestamp,
}

impl Rest<'_> {
    fn is_over(&self, lease_until: Timestamp) -> bool {
        lease_until + TimeDelta::seconds(i64::from(self.policy.offers.grace_seconds)) <= self.now
    }

    /// A crew's time is reserved for a live offer or committed to tickets that it works on, and to nothing else.
    fn crew(&self, id: &CrewId, crew: &Crew) -> Verdict {
        if let Some(kept) = &crew.reserved {
            let ticket = self.store.tickets.get(&kept.ticket);
            let live = ticket.and_then(|ticket| ticket.offers.iter().find(|live| live.offer == kept.offer));
            claim(live.is_some_and(|live| live.crew == *id), || {
                format!("{id} is kept for an offer that is not live: {kept:?}")
            })?;
            claim(!self.is_over(kept.lease_until), || format!("{id} is kept past its lease"))?;
            claim(crew.commitments.is_empty(), || format!("{id} has a ticket and an offer"))?;
            claim(crew.shift.is_some() && crew.away.is_none(), || format!("{id} is not there and has an offer"))?;
        }
        for held in &crew.commitments {
            let works = self.store.tickets.get(&held.ticket).and_then(Watch::works_on);
            claim(works.as_ref() == Some(id), || format!("{id} is given to {} that {works:?} works on", held.ticket))?;
        }
        Ok(())
    }

    /// Every live offer of a ticket has a reservation of its crew, and the crew that works on the ticket is committed
    /// to it.
    fn ticket(&self, id: TicketId, ticket: &Ticket) -> Verdict {
        for live in &ticket.offers {
            let kept = self.store.crews.get(&live.crew).and_then(|crew| crew.reserved);
            claim(kept.is_some_and(|kept| kept.offer == live.offer), || {
                format!("{id}: {} is live, {kept:?} is kept", live.offer)
            })?;
            claim(!self.is_over(live.lease_until), || format!("{id}: an offer is live past its lease"))?;
            let other = ticket.pinned.as_ref().is_some_and(|(pinned, _)| *pinned != live.crew);
            claim(!other, || format!("{id}: offered to another crew than a person chose"))?;
        }
        let Some(crew) = Watch::works_on(ticket) else { return Ok(()) };
        let Some(member) = self.store.crews.get(&crew).filter(|member| member.enrolled) else {
            let begun = ticket.crew.arrived.or(ticket.crew.diagnosed).is_some();
            return claim(ticket.taken.is_none() || begun, || {
                format!("{crew} is struck off and has {id} from the plan")
            });
        };
        if ticket.business == BusinessType::FaultRepair {
            claim(member.commitments.iter().any(|held| held.ticket == id), || {
                format!("{crew} works on {id} uncommitted")
            })?;
            let cannot_come = matches!(member.away, Some(Absence::Ill | Absence::Vehicle));
            claim(!cannot_come || ticket.crew.arrived.is_some(), || format!("{crew} cannot come and has {id}"))?;
        }
        Ok(())
    }

    /// An open ticket has an offer, or waits for a true reason.
    fn open(&self, id: TicketId, ticket: &Ticket) -> Result<Option<Waits>, String> {
        let may = legal_of(ticket).contains(Move::Offer) && ticket.business == BusinessType::FaultRepair;
        let held = ticket.holder().is_some_and(|unit| CrewId::of(unit).is_some());
        if !may || held {
            return Ok(None);
        }
        let (planner, board) = (self.process.planner(), self.process.board());
        let why = planner.waits(board, id, self.now);
        self.judge(id, ticket, why).map_err(|what| {
            let crews: Vec<_> = board
                .crews
                .values()
                .map(|crew| {
                    let shift = crew.shift.as_ref().map(|shift| shift.until);
                    let taken = (crew.reserved.as_ref().map(|kept| kept.ticket), &crew.committed);
                    format!(
                        "{:?} until {shift:?} away {:?} {:?} {taken:?} for {:?}",
                        crew.id, crew.away, crew.skills, crew.territory
                    )
                })
                .collect();
            let job = board.jobs.get(&id);
            format!("{id} waits because {}: {what}\n{job:?}\n{crews:#?}", why.as_str())
        })?;
        Ok(Some(why))
    }

    fn judge(&self, id: TicketId, ticket: &Ticket, why: Waits) -> Verdict {
        // If a person chose the crew, only that crew is considered.
        let asked = |id: &CrewId| ticket.pinned.as_ref().is_none_or(|(chosen, _)| chosen == id);
        let works_there = |id: &CrewId, crew: &Crew| ticket.pinned.is_some() || self.serves(ticket, id, crew);
        let theirs =
            || self.store.crews.iter().filter(|(id, crew)| crew.enrolled && asked(id) && works_there(id, crew));
        let crews = || theirs().filter(|(_, crew)| self.on_shift(crew));
        let able = |crew: &Crew| crew.skills.covers(self.needs(ticket));
        let free = || crews().filter(|(crew_id, crew)| self.could_go(id, ticket, crew_id, crew));
        if self.is_early(id, ticket) {
            return claim(matches!(why, Waits::Appointment | Waits::Offered), || "it is too early for it".into());
        }
        match why {
            Waits::Appointment => return Err("it has none, or it is time".into()),
            Waits::Offered => return claim(!ticket.offers.is_empty(), || "no offer is live".into()),
            Waits::NotOpen | Waits::Assigned | Waits::Ready => return Err("it is not so at rest".into()),
            Waits::Planned => return self.is_planned(id),
            Waits::HeldForNeighbours => {
                let held = (self.now - ticket.received).num_seconds() as f64 / 60.0;
                claim(self.process.planner().storm(), || "there is no storm".into())?;
                return claim(held <= self.policy.storm.hold_minutes, || format!("held for {held} minutes"));
            }
            Waits::PinnedCrewBusy => claim(ticket.pinned.is_some(), || "nobody chose a crew".into())?,
            Waits::PinnedCrewGone => {
                let chosen = ticket.pinned.as_ref().and_then(|(crew, _)| self.store.crews.get(crew));
                return claim(chosen.is_none_or(|crew| !crew.enrolled), || "the chosen crew is there".into());
            }
            Waits::NotTried => return Err("a free crew is left out".into()),
            // The ticket is in the route of a crew whose break ends soon enough: the plan's choice, as behind other
            // work.
            Waits::Resting if self.is_planned(id).is_ok() => return Ok(()),
            Waits::Resting => {
                let rests = crews().any(|(_, crew)| crew.away.is_some() || self.rests(crew));
                claim(rests, || "nobody rests".into())?;
            }
            Waits::NoCrewOnShift => claim(crews().count() == 0, || "a crew is on shift".into())?,
            Waits::NoSkill => claim(!crews().any(|(_, crew)| able(crew)), || "a crew has the skill".into())?,
            Waits::NoTerritory => claim(theirs().count() == 0, || "a crew works there".into())?,
            Waits::Excluded => {
                // A refusal after an action was proposed is not a fact of the log.
                let refused = |crew: &CrewId| self.process.fold().case(id).is_some_and(|case| case.is_unfit(crew));
                let down = crews().any(|(crew_id, _)| self.turned_down(id, ticket, crew_id) || refused(crew_id));
                claim(down, || "nobody declined it, let it lapse or left it, nor was any refused it".into())?;
            }
            Waits::Silent => claim(crews().any(|(crew_id, _)| self.is_silent(crew_id)), || "all were heard of".into())?,
            Waits::AllBusy => {}
            Waits::ShiftTooShort => {
                let idle = |crew: &Crew| crew.reserved.is_none() && crew.commitments.is_empty();
                claim(crews().any(|(_, crew)| idle(crew)), || "nobody is free".into())?;
            }
        }
        let idle: Vec<_> = free().map(|(crew_id, _)| crew_id.org().as_str()).collect();
        claim(idle.is_empty(), || format!("{idle:?} could go"))
    }

    /// The ticket is in the route of a crew that does something else first.
    fn is_planned(&self, id: TicketId) -> Verdict {
        let plan = self.process.planner().snapshot(self.process.board(), self.now);
        let route = plan.routes.iter().find(|(_, stops)| stops.iter().any(|stop| stop.ticket == id));
        let Some((crew_id, _)) = route else { return Err("no route has it".into()) };
        let crew = self.store.crews.get(crew_id);
        let engaged = crew.is_some_and(|crew| crew.reserved.is_some() || !crew.commitments.is_empty());
        claim(engaged || crew.is_some_and(|crew| self.rests(crew)) || self.is_silent(crew_id), || {
            format!("{crew_id:?} has nothing else to do")
        })
    }

    /// The ticket has an appointment too far ahead, and no person chose a crew for it.
    fn is_early(&self, id: TicketId, ticket: &Ticket) -> bool {
        let ahead = TimeDelta::minutes(i64::from(self.policy.offers.appointment_minutes));
        let appointed = self.store.watch.appointed.get(&id);
        ticket.pinned.is_none() && appointed.is_some_and(|at| self.now < *at - ahead)
    }

    fn rests(&self, crew: &Crew) -> bool {
        let breaks = crew.shift.iter().flat_map(|shift| &shift.breaks);
        breaks.into_iter().any(|rest| rest.from <= self.now && self.now < rest.until)
    }

    fn on_shift(&self, crew: &Crew) -> bool {
        crew.enrolled && crew.shift.as_ref().is_some_and(|shift| shift.until > self.now)
    }

    fn needs(&self, ticket: &Ticket) -> switchboard_domain::crew::Skills {
        let category = ticket.confirmed_category.as_ref().or(ticket.accepted_category.as_ref());
        self.policy.skills_of(category).union(ticket.needs)
    }

    fn serves(&self, ticket: &Ticket, id: &CrewId, crew: &Crew) -> bool {
        let Some(unit) = ticket.holder() else { return false };
        let works_there = crew.territory.iter().any(|own| own.contains(unit) || unit.contains(own));
        works_there && unit.contains(id.org())
    }

    /// By the log, the crew recently declined an offer, let it expire, or had the ticket and left it.
    fn turned_down(&self, id: TicketId, ticket: &Ticket, crew: &CrewId) -> bool {
        ticket.former.iter().any(|former| former.crew == *crew.org()) || self.declined(id, crew)
    }

    /// By the log, the crew recently declined an offer or let it expire.
    fn declined(&self, id: TicketId, crew: &CrewId) -> bool {
        let down = self.store.watch.turned_down.get(&(id, crew.clone()));
        let asked_again = down.map(|(at, how)| {
            let minutes = match how {
                OfferEnd::Declined => self.policy.offers.declined_minutes,
                OfferEnd::Expired => self.policy.offers.expired_minutes,
                OfferEnd::Withdrawn => 0,
            };
            *at + TimeDelta::minutes(i64::from(minutes))
        });
        asked_again.is_some_and(|at| at > self.now)
    }

    fn is_silent(&self, crew: &CrewId) -> bool {
        let seen = self.process.board().crews.get(crew).map(|crew| crew.seen);
        seen.is_none_or(|seen| self.now - seen > TimeDelta::minutes(i64::from(self.policy.offers.silent_minutes)))
    }

    /// True if no rule forbids sending this crew now.
    fn could_go(&self, id: TicketId, ticket: &Ticket, crew_id: &CrewId, crew: &Crew) -> bool {
        let Some(shift) = &crew.shift else { return false };
        let free = crew.away.is_none() && crew.reserved.is_none() && crew.commitments.is_empty();
        let reaches = shift.until - self.now > TimeDelta::minutes(REACHES_ANY_MINUTES);
        let resting = shift.breaks.iter().any(|rest| rest.until > self.now);
        let fit = match &ticket.pinned {
            Some((pinned, _)) => {
                let within = ticket.holder().is_some_and(|unit| unit.contains(crew_id.org()));
                pinned == crew_id && within && !self.declined(id, crew_id)
            }
            None => {
                crew.skills.covers(self.needs(ticket))
                    && self.serves(ticket, crew_id, crew)
                    && !self.turned_down(id, ticket, crew_id)
            }
        };
        free && reaches && !resting && fit && !self.is_silent(crew_id)
    }
}

/// The state of a process that lived through kills and resumptions equals a fold of the whole log. Two kinds of state
/// are excluded: telemetry (the position of a crew, and when it was heard of), and refusals of proposed actions.
pub fn fold_is_the_logs(store: &Store, policy: &Policy, lived: &Driver) -> Verdict {
    let mut told = Driver::resumed(policy, None);
    told.listen(store, store.head(), true);
    let (lived, told) = (plain(lived), plain(&told));
    claim(lived == told, || {
        let mut differing = Vec::new();
        differ("fold", &lived, &told, &mut differing);
        format!("the fold is not the log's: {}", differing.join("; "))
    })
}

/// Collects the paths at which two values differ.
fn differ(path: &str, lived: &Value, told: &Value, found: &mut Vec<String>) {
    match (lived.as_object(), told.as_object()) {
        (Some(a), Some(b)) => {
            for name in a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))) {
                let (a, b) = (a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null));
                differ(&format!("{path}/{name}"), a, b, found);
            }
        }
        _ if lived != told => found.push(format!("{path} lived {lived} told {told}")),
        _ => {}
    }
}

fn plain(driver: &Driver) -> Value {
    let mut fold = serde_json::to_value(driver.process.fold()).expect("a fold is written");
    for member in fold["members"].as_object_mut().expect("a list").values_mut() {
        let member = member.as_object_mut().expect("a record");
        ["at", "at_since", "seen"].into_iter().for_each(|telemetry| drop(member.remove(telemetry)));
    }
    fold
}
