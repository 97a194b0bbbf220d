//! Properties of the case file of every history: it agrees with the domain's state, and every end has a reason.

use std::collections::BTreeMap;

use proptest::{prop_assert, prop_assert_eq};

use super::{Turn, of_every_life};
use crate::{
    actor::{Actor, Role},
    chance::Verdict,
    crew::CrewId,
    fact::TicketFact,
    ticket::{
        CaseFile,
        stint::STINTS_MAX,
        tests::sample::{NATION, org, ticket_id},
    },
};

/// The facts of a life, at positions in a log that holds nothing else.
fn facts(turns: &[Turn]) -> Vec<TicketFact> {
    let told = turns.iter().flat_map(|turn| turn.facts().iter().map(move |event| (turn, event.clone())));
    let recorded = told.enumerate().map(|(n, (turn, event))| TicketFact {
        position: n as u64 + 1,
        id: ticket_id(1),
        revision: n as u64,
        event,
        occurred_at: turn.ask.occurred_at,
        recorded_at: turn.ask.now,
        actor: Actor { id: "a1".into(), role: Role::Desk, org: org(NATION) },
        request_id: uuid::Uuid::nil(),
    });
    recorded.collect()
}

/// Checks a property of the file before and after every fact of every life.
fn of_every_fact(law: impl Fn(Option<&CaseFile>, &CaseFile) -> Verdict) {
    of_every_life(|turns| {
        let mut file: Option<CaseFile> = None;
        for fact in facts(turns) {
            let before = file.clone();
            CaseFile::apply(&mut file, &fact);
            law(before.as_ref(), file.as_ref().unwrap())?;
        }
        let lived = turns.last().and_then(|turn| turn.after.clone());
        prop_assert_eq!(file.map(|file| file.ticket), lived, "the domain's own state");
        Ok(())
    });
}

#[test]
fn the_present_stint_is_the_holders_and_free_exactly_while_nobody_works() {
    of_every_fact(|_, file| {
        let (ticket, stints) = (&file.ticket, &file.stints);
        prop_assert_eq!(stints.present.as_ref().map(|stint| stint.crew.clone()), ticket.held_by());
        let working = stints.present.as_ref().filter(|stint| stint.free.is_none());
        prop_assert_eq!(working.map(|stint| stint.crew.clone()), ticket.worked_by());
        let within = |narrow: Option<CrewId>, wide: Option<CrewId>| narrow.is_none() || narrow == wide;
        prop_assert!(within(ticket.worked_by(), ticket.assigned_to()));
        prop_assert!(within(ticket.assigned_to(), ticket.held_by()));
        prop_assert!(stints.former.len() <= STINTS_MAX);
        Ok(())
    });
}

#[test]
fn whoever_loses_a_ticket_or_an_offer_is_told_why_and_a_live_offer_says_which_fact_made_it() {
    of_every_fact(|before, file| {
        let (ticket, stints) = (&file.ticket, &file.stints);
        for live in &ticket.offers {
            prop_assert!(stints.made(live.offer).is_some() && stints.why_gone(live.offer).is_none());
        }
        let Some(before) = before else { return Ok(()) };
        for crew in [before.ticket.worked_by(), before.ticket.assigned_to()].into_iter().flatten() {
            prop_assert_eq!(stints.why_free(&crew).is_some(), ticket.worked_by().as_ref() != Some(&crew));
        }
        let gone = before.ticket.offers.iter().filter(|old| !ticket.offers.contains(old));
        for gone in gone {
            let by_it = ticket.taken.as_ref().is_some_and(|(taken, _)| *taken == gone.offer);
            prop_assert_eq!(stints.why_gone(gone.offer).is_none(), by_it, "{:?}", gone);
        }
        Ok(())
    });
}

#[test]
fn a_file_written_down_and_read_again_goes_on_the_same() {
    of_every_fact(|_, file| {
        let text = serde_json::to_string(file).unwrap();
        prop_assert_eq!(&serde_json::from_str::<CaseFile>(&text).unwrap(), file);
        Ok(())
    });
}

#[test]
fn lives_meet_the_reasons_for_which_a_stint_ends() {
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    let mut dice = crate::chance::Dice::of(95598);
    for _ in 0..400 {
        let rolls: Vec<u64> = (0..60).map(|_| dice.bits()).collect();
        let mut file = None;
        facts(&super::live(&rolls, &crate::rules::Rules::default())).iter().for_each(|f| CaseFile::apply(&mut file, f));
        let Some(CaseFile { stints, .. }) = file else { continue };
        for former in &stints.former {
            *met.entry(former.why.as_str()).or_default() += 1;
        }
    }
    for word in ["done", "handed_over", "recalled", "reassigned"] {
        assert!(met.contains_key(word), "{word}: {met:?}");
    }
}
