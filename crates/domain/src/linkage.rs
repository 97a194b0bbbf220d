//! The process that keeps masters and children of a merge (合并) in step, for they are two streams and nothing appends to both:
//! whenever a ticket is merged, its master adopts it; when the master will not, the merge is undone; whenever a master's
//! reply passes, its children take the outcome over; whenever a child leaves, or its master ends without outcome, both know.
//!
//! The process keeps the case files of masters only. A ticket that becomes a master is recalled: its history is
//! told again.

mod by_child;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use self::by_child::ByChild;
use crate::{
    Timestamp,
    decider::{Action, Process, Projection, Recorded},
    fingerprint::{Source, of_sources},
    sources,
    ticket::{CaseFile, Command, Event, TicketId, case_file::CASE_FILE_CODE},
};

/// The files that decide what the fold is, beside those of a case file.
const CODE: [Source; 2] = sources!["linkage.rs", "linkage/by_child.rs"];

/// Names the code that makes the fold: a checkpoint that other code wrote is not read.
pub const LINKAGE_CODE: u64 = of_sources(&CODE) ^ CASE_FILE_CODE;

/// What the process may want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intent {
    /// The master takes note of the child.
    Adopt {
        /// To this ticket.
        master: TicketId,
        /// Of this one.
        child: TicketId,
    },
    /// The master takes note that the child left.
    Release {
        /// To this ticket.
        master: TicketId,
        /// Of this one.
        child: TicketId,
    },
    /// The child takes the master's outcome over.
    Follow {
        /// To this ticket.
        child: TicketId,
        /// Of this one.
        master: TicketId,
        /// When power came back, if a crew said so.
        restored: Option<Timestamp>,
    },
    /// The merge is undone: the master is no master.
    Undo {
        /// To this ticket.
        child: TicketId,
        /// Whose master was this one.
        master: TicketId,
    },
}

impl Intent {
    /// To whom it is said, and what.
    #[must_use]
    pub fn command(&self) -> (TicketId, Command) {
        match *self {
            Self::Adopt { master, child } => (master, Command::AdoptChild { child }),
            Self::Release { master, child } => (master, Command::ReleaseChild { child }),
            Self::Follow { child, master, restored } => (child, Command::FollowMaster { master, restored }),
            Self::Undo { child, .. } => {
                (child, Command::Unmerge { reason: "the master ticket cannot take this one".into() })
            }
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Adopt { .. } => "adopt",
            Self::Release { .. } => "release",
            Self::Follow { .. } => "follow",
            Self::Undo { .. } => "undo",
        }
    }

    fn child(&self) -> TicketId {
        match *self {
            Self::Adopt { child, .. }
            | Self::Release { child, .. }
            | Self::Follow { child, .. }
            | Self::Undo { child, .. } => child,
        }
    }
}

/// The fold: who belongs to whom, and what is still to be said to whom. Bounded by the links that are live.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Linkage {
    /// Child to master, from the merge until it ends.
    links: BTreeMap<TicketId, TicketId>,
    /// Master to the children that it adopted.
    families: BTreeMap<TicketId, BTreeSet<TicketId>>,
    /// The case files of the masters: what there is to take over.
    masters: BTreeMap<TicketId, CaseFile>,
    /// Position of the last fact that it was told: what is not past it is a history told again.
    position: u64,
    /// What is wanted, by the fact that caused it.
    wants: ByChild<Intent>,
    /// What was refused for good, with the reason: for a person to look at.
    parked: ByChild<(Intent, String)>,
}

impl Linkage {
    /// What was refused for good: the position of the fact that caused it, the intent and the reason.
    pub fn parked(&self) -> impl Iterator<Item = (u64, Intent, &str)> {
        self.parked.iter().map(|(because, (intent, reason))| (because, *intent, reason.as_str()))
    }

    fn want(&mut self, because: u64, intent: Intent) {
        self.wants.insert(because, intent.child(), intent);
    }

    /// Drops what is wanted of, or for, `child` and meets `met`.
    fn settle(&mut self, child: TicketId, met: impl Fn(&Intent) -> bool) {
        self.wants.remove_of(child, met);
    }

    /// The child goes its own way; a master that had adopted it is to be told.
    fn unlink(&mut self, because: u64, child: TicketId) {
        // A release stays wanted whomever the child belonged to since: that master still counts it.
        self.settle(child, |intent| !matches!(intent, Intent::Release { .. }));
        self.parked.remove_of(child, |_| true);
        if let Some(master) = self.links.remove(&child)
            && self.families.get(&master).is_some_and(|family| family.contains(&child))
        {
            self.want(because, Intent::Release { master, child });
        }
    }

    /// The master ended without an outcome to take over.
    fn disband(&mut self, because: u64, master: TicketId) {
        for child in self.families.get(&master).cloned().unwrap_or_default() {
            if self.links.get(&child) == Some(&master) {
                self.want(because, Intent::Undo { child, master });
            }
        }
    }
}

impl Projection for Linkage {
    type Event = Recorded<Event, TicketId>;

    fn apply(&mut self, recorded: &Self::Event) {
        let (position, id) = (recorded.position, recorded.id);
        let again = position <= self.position;
        if again || self.masters.contains_key(&id) {
            let mut file = self.masters.remove(&id);
            CaseFile::apply(&mut file, recorded);
            self.masters.extend(file.map(|file| (id, file)));
        }
        if again {
            return;
        }
        self.position = position;
        match &recorded.event {
            Event::Merged(e) => {
                self.links.insert(id, e.master);
                // A master that still counts it from before is to release it first; then it is asked again.
                if !self.families.get(&e.master).is_some_and(|family| family.contains(&id)) {
                    self.want(position, Intent::Adopt { master: e.master, child: id });
                }
            }
            Event::ChildAdopted(e) => {
                self.settle(e.child, |intent| matches!(intent, Intent::Adopt { master, .. } if *master == id));
                self.families.entry(id).or_default().insert(e.child);
                if self.links.get(&e.child) != Some(&id) {
                    self.want(position, Intent::Release { master: id, child: e.child });
                }
            }
            Event::ChildReleased(e) => {
                self.settle(e.child, |intent| matches!(intent, Intent::Release { master, .. } if *master == id));
                if let Some(family) = self.families.get_mut(&id) {
                    family.remove(&e.child);
                    if family.is_empty() {
                        self.families.remove(&id);
                        self.masters.remove(&id);
                    }
                }
                if self.links.get(&e.child) == Some(&id) {
                    self.want(position, Intent::Adopt { master: id, child: e.child });
                }
            }
            Event::ReplyPassed(e) if e.last => {
                let restored = self.masters.get(&id).and_then(|file| file.ticket.crew.restored);
                for child in self.families.get(&id).cloned().unwrap_or_default() {
                    if self.links.get(&child) == Some(&id) {
                        self.want(position, Intent::Follow { child, master: id, restored });
                    }
                }
            }
            Event::Unmerged(_) | Event::Reopened(_) | Event::MasterFollowed(_) => self.unlink(position, id),
            Event::Withdrawn(_) | Event::ClosedAtFirstContact(_) => self.disband(position, id),
            _ => {}
        }
    }
}

impl Process for Linkage {
    type Intent = Intent;

    fn name(&self) -> &'static str {
        "linkage"
    }

    /// A ticket that becomes a master was not followed before.
    fn forgotten(&self, fact: &Self::Event) -> Option<TicketId> {
        let new = matches!(fact.event, Event::ChildAdopted(_)) && !self.masters.contains_key(&fact.id);
        new.then_some(fact.id)
    }

    fn pending(&mut self, _: Timestamp, limit: usize) -> Vec<Action<Intent>> {
        let wants = self.wants.iter().take(limit);
        wants.map(|(because, &intent)| Action { because, name: intent.name(), intent }).collect()
    }

    fn refused(&mut self, want: &Action<Intent>, reason: &str) {
        let child = want.intent.child();
        if self.wants.get(want.because, child) != Some(&want.intent) {
            // The log has overtaken the question: nobody wants this any more.
            return;
        }
        self.wants.remove(want.because, child);
        match want.intent {
            // The master will not have it: the child is freed, because of the same fact.
            Intent::Adopt { master, child } => self.want(want.because, Intent::Undo { child, master }),
            intent => {
                self.parked.insert(want.because, child, (intent, reason.to_owned()));
            }
        }
    }
}
