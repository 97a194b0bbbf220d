//! The process that keeps the masters and the children of a merge (合并) in step. They are two streams, and one append
//! writes to one stream only.
//!
//! - When a ticket is merged, its master adopts it. If the master rejects that, the merge is undone.
//! - When the last audit passes a master's reply, its children take over the outcome.
//! - When a child leaves, its master releases it. When a master ends without an outcome, its merges are undone.
//!
//! The process keeps the case files of masters only. When a ticket becomes a master, the engine passes the ticket's
//! earlier facts to the process again (`Process::forgotten`).

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

/// The source files that decide what the fold is, besides those of a case file.
const CODE: [Source; 2] = sources!["linkage.rs", "linkage/by_child.rs"];

/// A fingerprint of the code that makes the fold. A checkpoint that other code wrote is not read.
pub const LINKAGE_CODE: u64 = of_sources(&CODE) ^ CASE_FILE_CODE;

/// A command that the process may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intent {
    /// Records the child on its master.
    Adopt {
        /// The master, which receives the command.
        master: TicketId,
        /// The child to adopt.
        child: TicketId,
    },
    /// Removes the child, which has left, from its master.
    Release {
        /// The former master, which receives the command.
        master: TicketId,
        /// The child that left.
        child: TicketId,
    },
    /// Applies the master's outcome to the child.
    Follow {
        /// The child, which receives the command.
        child: TicketId,
        /// The master.
        master: TicketId,
        /// The instant at which power returned; `None` if the master's crew did not report it.
        restored: Option<Timestamp>,
    },
    /// Undoes the merge: the master rejected the child, or ended without an outcome.
    Undo {
        /// The child, which receives the command.
        child: TicketId,
        /// Its master.
        master: TicketId,
    },
}

impl Intent {
    /// The ticket that receives the command, and the command.
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

/// The fold: the merges, and the actions that are still to be executed. Its size is bounded by the number of live
/// merges.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Linkage {
    /// Child to master, from the merge until it ends.
    links: BTreeMap<TicketId, TicketId>,
    /// Master to the children that it adopted.
    families: BTreeMap<TicketId, BTreeSet<TicketId>>,
    /// The case files of the masters, for the restoration time that a child takes over.
    masters: BTreeMap<TicketId, CaseFile>,
    /// Position of the last fact applied. A fact at or before it belongs to a history that is passed in again.
    position: u64,
    /// The pending actions, by the fact that caused each.
    pending: ByChild<Intent>,
    /// The actions that were rejected for good, with the reason. A person must look at them.
    parked: ByChild<(Intent, String)>,
}

impl Linkage {
    /// The actions that were rejected for good: the position of the causing fact, the intent and the reason.
    pub fn parked(&self) -> impl Iterator<Item = (u64, Intent, &str)> {
        self.parked.iter().map(|(because, (intent, reason))| (because, *intent, reason.as_str()))
    }

    fn want(&mut self, because: u64, intent: Intent) {
        self.pending.insert(because, intent.child(), intent);
    }

    /// Removes the pending actions about `child` that satisfy `met`.
    fn settle(&mut self, child: TicketId, met: impl Fn(&Intent) -> bool) {
        self.pending.remove_of(child, met);
    }

    /// The child leaves its master. If the master had adopted it, a release becomes pending.
    fn unlink(&mut self, because: u64, child: TicketId) {
        // Pending releases are kept, whichever master the child had since: their masters still count the child.
        self.settle(child, |intent| !matches!(intent, Intent::Release { .. }));
        self.parked.remove_of(child, |_| true);
        if let Some(master) = self.links.remove(&child)
            && self.families.get(&master).is_some_and(|family| family.contains(&child))
        {
            self.want(because, Intent::Release { master, child });
        }
    }

    /// The master ended without an outcome to take over: the merge of each child is undone.
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
                // A master that still counts the child from an earlier merge must release it first. It is asked again
                // after that.
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

    /// A ticket that becomes a master was not followed before, so its history is needed.
    fn forgotten(&self, fact: &Self::Event) -> Option<TicketId> {
        let new = matches!(fact.event, Event::ChildAdopted(_)) && !self.masters.contains_key(&fact.id);
        new.then_some(fact.id)
    }

    fn pending(&mut self, _: Timestamp, limit: usize) -> Vec<Action<Intent>> {
        let wants = self.pending.iter().take(limit);
        wants.map(|(because, &intent)| Action { because, name: intent.name(), intent }).collect()
    }

    fn refused(&mut self, want: &Action<Intent>, reason: &str) {
        let child = want.intent.child();
        if self.pending.get(want.because, child) != Some(&want.intent) {
            // A later fact has removed this action already.
            return;
        }
        self.pending.remove(want.because, child);
        match want.intent {
            // The master rejected the child: undo the merge, with the same fact as the cause.
            Intent::Adopt { master, child } => self.want(want.because, Intent::Undo { child, master }),
            intent => {
                self.parked.insert(want.because, child, (intent, reason.to_owned()));
            }
        }
    }
}
