//! The list: case files as folded, and the filter language as documented.

use proptest::prelude::*;
use switchboard_domain::{
    Timestamp,
    crew::{CrewId, Forced, OfferId, Skill, Skills},
    organisation::OrgPath,
    ticket::{
        CaseFile, Event, evolve,
        state::{CrewWork, FormerCrew, LiveOffer},
    },
};

use super::*;
use crate::{Fact, random, ticket_page::TicketPage};

fn problem(text: &str) -> (usize, FilterProblem) {
    let error = Filter::parse(text).unwrap_err();
    (error.at, error.problem)
}

fn files(facts: &[Fact]) -> Vec<CaseFile> {
    let mut files: std::collections::BTreeMap<_, Option<CaseFile>> = std::collections::BTreeMap::new();
    for fact in facts {
        CaseFile::apply(files.entry(fact.id).or_default(), fact);
    }
    files.into_values().flatten().collect()
}

#[test]
fn the_documented_example_is_read_and_written_the_same() {
    let text = "open = true AND holder = sgcc/zj/hz AND received_at >= 2024-01-01T00:00:00Z";
    let filter = Filter::parse(text).unwrap();
    assert_eq!(filter.terms().len(), 3);
    assert_eq!(filter.to_string(), text);
    assert_eq!(Filter::parse("  ").unwrap(), Filter::default());
}

#[test]
fn a_filter_says_where_it_cannot_be_read_and_why() {
    use FilterProblem as P;
    assert_eq!(problem("colour = red"), (0, P::UnknownField("colour".into())));
    assert_eq!(problem("open = true AND caller.phone = 1"), (16, P::UnknownField("caller.phone".into())));
    assert_eq!(problem("open = true holder = sgcc"), (12, P::NoAnd));
    assert_eq!(problem("open = true OR open = false"), (12, P::NoAnd));
    assert_eq!(problem("open = true AND"), (15, P::NoField));
    assert_eq!(problem("= true"), (0, P::NoField));
    assert_eq!(problem("open true"), (5, P::NoComparison(Field::Open)));
    assert_eq!(problem("open < true"), (5, P::NotOrdered(Field::Open)));
    assert_eq!(problem("open ="), (6, P::NoValue(Field::Open)));
    assert_eq!(problem("open = yes"), (7, P::BadValue(Field::Open)));
    assert_eq!(problem("stage = finished"), (8, P::BadValue(Field::Stage)));
    assert_eq!(problem("external = 12"), (11, P::BadValue(Field::External)));
    assert_eq!(problem("holder = SGCC"), (9, P::BadValue(Field::Holder)));
    assert_eq!(problem("received_at > 2024-01-01"), (14, P::BadValue(Field::ReceivedAt)));
    assert_eq!(problem("number = \"1"), (9, P::BadQuotes));
    assert_eq!(problem("number = \"\\n\""), (9, P::BadQuotes));
    assert_eq!(problem("number = \u{5de5}\u{5355} AND \u{5355} = 1"), (20, P::UnknownField("\u{5355}".into())));
}

#[test]
fn an_error_names_the_words_that_would_have_been_right() {
    let message = Filter::parse("urgency = high").unwrap_err().to_string();
    assert_eq!(message, "at byte 10: urgency is one of normal, urgent");
}

#[test]
fn a_filter_has_limits() {
    let term = "open = true";
    let most = vec![term; FILTER_TERMS_MAX].join(" AND ");
    assert!(Filter::parse(&most).is_ok());
    assert_eq!(problem(&format!("{most} AND {term}")).1, FilterProblem::TooManyTerms);
    let long = format!("number = {}", "1".repeat(FILTER_BYTES_MAX));
    assert_eq!(problem(&long), (FILTER_BYTES_MAX, FilterProblem::TooLong));
}

#[test]
fn a_quoted_value_may_hold_anything() {
    let filter = Filter::parse(r#"number = "a \"b\" \\ AND open = true""#).unwrap();
    assert_eq!(filter.terms()[0].value, Value::Text(r#"a "b" \ AND open = true"#.into()));
    assert_eq!(Filter::parse(&filter.to_string()).unwrap(), filter);
}

#[test]
fn a_path_matches_itself_and_what_lies_below_and_no_namesake() {
    assert!(is_within("sgcc/zj", "sgcc/zj"));
    assert!(is_within("sgcc/zj", "sgcc/zj/hz"));
    assert!(!is_within("sgcc/zj", "sgcc/zj-2"));
    assert!(!is_within("sgcc/zj", "sgcc"));
}

#[test]
fn an_order_is_read_and_written_the_same() {
    for text in ["received_at", "received_at desc", "updated_at", "number desc"] {
        assert_eq!(Order::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(Order::parse("").unwrap().to_string(), "received_at desc");
    for bad in ["stage", "number asc", "number desc desc", "number, received_at", "desc"] {
        assert_eq!(Order::parse(bad), Err(UnknownOrder), "{bad}");
    }
}

#[test]
fn every_file_that_decides_what_is_kept_for_a_list_decides_the_code() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ticket_list");
    for part in std::fs::read_dir(folder).unwrap() {
        let name = part.unwrap().file_name().into_string().unwrap();
        // The filter and the order of a query do not change the stored rows.
        let apart = ["filter.rs", "order.rs", "tests.rs"].contains(&name.as_str());
        let named = CODE.iter().any(|(path, _)| *path == format!("ticket_list/{name}"));
        assert!(!name.ends_with(".rs") || named != apart, "{name} is named in one of the two lists");
    }
}

/// Sets everything that a dispatch to a crew changes on a ticket.
fn dispatched(file: &mut CaseFile, at: Timestamp) {
    let org = OrgPath::parse("sgcc/zj/hz/yuhang/liangzhu/crew3").unwrap();
    let (crew, offer) = (CrewId::of(&org).unwrap(), OfferId::of(file.id, 2));
    let ticket = &mut file.ticket;
    ticket.offers = vec![LiveOffer {
        offer,
        crew: crew.clone(),
        fence: 7,
        made: at,
        lease_until: at,
        priority: true,
        forced: true,
    }];
    ticket.attempts = 2;
    ticket.taken = Some((offer, "crew-3-lead".into()));
    ticket.pinned = Some((crew, Forced { by: "desk-1".into(), org: org.clone() }));
    ticket.needs = Skills::of(&[Skill::Cable, Skill::LiveLine]);
    let (first, until) = (CrewWork::default(), at);
    let work = CrewWork { assigned: Some(at), arrived: Some(at), ..CrewWork::default() };
    ticket.former = vec![FormerCrew { crew: org.clone(), work: first, until }, FormerCrew { crew: org, work, until }];
}

proptest! {
    #[test]
    fn any_history_folds_into_files_that_survive_being_written_down(facts in random::history(80)) {
        for file in files(&facts) {
            let json = serde_json::to_string(&file).unwrap();
            prop_assert_eq!(&serde_json::from_str::<CaseFile>(&json).unwrap(), &file);
            prop_assert_eq!(file.ended_at.is_some(), !file.is_open());
            prop_assert!(file.opened <= file.position);
        }
    }

    #[test]
    fn offers_pins_and_former_crews_survive_being_written_down(facts in random::history(20), at in random::instant()) {
        for mut file in files(&facts) {
            dispatched(&mut file, at);
            let json = serde_json::to_string(&file).unwrap();
            prop_assert_eq!(serde_json::from_str::<CaseFile>(&json).unwrap(), file);
        }
    }

    #[test]
    fn a_file_says_what_the_domain_and_the_page_say(facts in random::history(80)) {
        for file in files(&facts) {
            let own: Vec<&Fact> = facts.iter().filter(|fact| fact.id == file.id).collect();
            let first = own.iter().position(|fact| matches!(fact.event, Event::Received(_))).unwrap();
            let state = own[first..]
                .iter()
                .enumerate()
                .filter(|(index, fact)| *index == 0 || !matches!(fact.event, Event::Received(_)))
                .fold(None, |state, (_, fact)| evolve(state, &fact.event, fact.occurred_at));
            prop_assert_eq!(Some(&file.ticket), state.as_ref());
            let page = TicketPage::fold(own.iter().copied()).unwrap();
            prop_assert_eq!(&page.file, &file);
            prop_assert!(!page.content.is_empty());
            prop_assert_eq!(page.legal_moves(), switchboard_domain::ticket::legal(&state));
        }
    }

    #[test]
    fn a_page_keeps_the_tier_and_the_appointment_of_the_intake_whatever_comes_later(facts in random::history(80)) {
        for file in files(&facts) {
            let own = || facts.iter().filter(|fact| fact.id == file.id);
            let told = own().find_map(|fact| match &fact.event {
                Event::Received(told) => Some((told.tier, told.appointment)),
                _ => None,
            });
            let page = TicketPage::fold(own()).unwrap();
            prop_assert_eq!(Some((page.file.tier, page.file.appointment)), told);
        }
    }

    #[test]
    fn a_filter_read_from_its_own_text_is_the_same(filter in random::filter()) {
        prop_assert_eq!(Filter::parse(&filter.to_string()).unwrap(), filter);
    }

    #[test]
    fn reading_any_text_never_panics(text in ".{0,60}", middle in "[a-z_]{0,12} ?(=|!=|<) ?[\"\\\\a-z0-9:/]{0,9}") {
        let _ = Filter::parse(&text);
        let _ = Filter::parse(&middle);
        let _ = Order::parse(&text);
    }

    #[test]
    fn a_term_and_its_opposite_share_the_tickets_between_them(facts in random::history(60), filter in random::filter()) {
        let files = files(&facts);
        for term in filter.terms() {
            let opposite = match term.comparison {
                Comparison::Equal => Comparison::NotEqual,
                Comparison::NotEqual => Comparison::Equal,
                Comparison::Less => Comparison::GreaterOrEqual,
                Comparison::LessOrEqual => Comparison::Greater,
                Comparison::Greater => Comparison::LessOrEqual,
                Comparison::GreaterOrEqual => Comparison::Less,
            };
            let [one, other] = [term.comparison, opposite].map(|comparison| {
                let sign = comparison.as_str();
                let value = &term.value;
                Filter::parse(&format!("{} {sign} {value}", term.field.as_str())).unwrap()
            });
            for file in &files {
                prop_assert!(one.matches(file) != other.matches(file));
            }
        }
    }
}
