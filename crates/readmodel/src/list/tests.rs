//! The list compared with its reference: equal rows, filters, orders and pages. It is rebuilt, reopened, damaged and
//! interrupted.

use std::{collections::BTreeMap, fs};

use proptest::{prelude::*, strategy::ValueTree, test_runner::Config};
use rusqlite::Connection;
use switchboard_domain::fact::TicketFact;
use switchboard_views::random;
use tempfile::TempDir;

use super::{form::FILE_NAME, *};

type Facts = Vec<Arc<Fact>>;

fn opened(folder: &TempDir) -> TicketList {
    TicketList::open(folder.path()).unwrap()
}

fn shared(facts: Vec<TicketFact>) -> (Facts, u64) {
    let head = facts.last().map_or(0, |fact| fact.position);
    (facts.into_iter().map(|fact| Arc::new(Fact::Ticket(fact))).collect(), head)
}

fn folded(facts: &[Arc<Fact>]) -> Vec<CaseFile> {
    let mut rows: BTreeMap<TicketId, Option<CaseFile>> = BTreeMap::new();
    for fact in facts.iter().filter_map(|fact| fact.ticket()) {
        CaseFile::apply(rows.entry(fact.id).or_default(), fact);
    }
    rows.into_values().flatten().collect()
}

fn dumped(list: &TicketList) -> Vec<String> {
    let mut lines = Vec::new();
    list.dump(&mut |line| lines.push(line.to_owned())).unwrap();
    lines
}

fn asked(filter: &str, page_size: usize) -> Query {
    Query { filter: Filter::parse(filter).unwrap(), order: Order::default(), page_size, after: None }
}

/// A random history with at least one ticket. It is the same in every run.
fn some_history() -> (Facts, u64) {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    loop {
        let facts = random::history(200).new_tree(&mut runner).unwrap().current();
        let (facts, head) = shared(facts);
        if folded(&facts).len() > 2 {
            return (facts, head);
        }
    }
}

proptest! {
    #![proptest_config(Config::with_cases(64))]

    #[test]
    fn pages_hold_what_the_filter_wants_in_order_and_nothing_twice(
        facts in random::history(80), filter in random::filter(), order in random::order(), page_size in 1usize..4,
    ) {
        let folder = TempDir::new().unwrap();
        let list = opened(&folder);
        let (facts, head) = shared(facts);
        list.apply(&facts, head).unwrap();
        let mut wanted: Vec<CaseFile> = folded(&facts).into_iter().filter(|row| filter.matches(row)).collect();
        wanted.sort_by(|a, b| order.compare(a, b));

        let mut query = Query { filter, order, page_size, after: None };
        let mut found = Vec::new();
        loop {
            let page = list.list(&query, &Question::default()).unwrap();
            prop_assert_eq!(page.total, wanted.len() as u64);
            prop_assert_eq!(page.position, head);
            prop_assert!(page.rows.len() <= page_size);
            found.extend(page.rows);
            let Some(next) = page.next else { break };
            let token = query.token(&next);
            query = query.continued(&token).unwrap();
            prop_assert_eq!(query.after.as_ref(), Some(&next));
        }
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn a_list_that_lived_through_it_equals_one_rebuilt_from_zero_byte_for_byte(
        facts in random::history(120), batch in 1usize..20, reopen_at in 0usize..6,
    ) {
        let (lived, rebuilt) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let (facts, head) = shared(facts);
        let mut list = opened(&lived);
        for (index, batch) in facts.chunks(batch).enumerate() {
            if index == reopen_at {
                drop(list);
                list = opened(&lived);
            }
            list.apply(batch, 0).unwrap();
        }
        let zero = opened(&rebuilt);
        zero.apply(&facts, head).unwrap();
        prop_assert_eq!(dumped(&list), dumped(&zero));
        prop_assert_eq!(list.checkpoint(), head);
    }

    #[test]
    fn facts_offered_again_change_nothing(facts in random::history(60), from in 0usize..60) {
        let folder = TempDir::new().unwrap();
        let list = opened(&folder);
        let (facts, head) = shared(facts);
        list.apply(&facts, head).unwrap();
        let before = dumped(&list);
        list.apply(&facts[from.min(facts.len())..], head).unwrap();
        list.apply(&facts, 0).unwrap();
        prop_assert_eq!(dumped(&list), before);
    }

    #[test]
    fn a_caller_is_known_by_either_key(facts in random::history(80), since in random::instant(), limit in 0usize..4) {
        let folder = TempDir::new().unwrap();
        let list = opened(&folder);
        let (facts, head) = shared(facts);
        list.apply(&facts, head).unwrap();
        for (phone, account) in [(Some("key-1"), None), (Some("key-1"), Some("key-2")), (None, Some("key-1")), (None, None)] {
            let is = |key: Option<&str>, known: &Option<String>| key.is_some() && key == known.as_deref();
            let mut theirs: Vec<CaseFile> = folded(&facts)
                .into_iter()
                .filter(|row| is(phone, &row.phone_key) || is(account, &row.account_key))
                .filter(|row| !row.ticket.confidential)
                .collect();
            theirs.sort_by(|a, b| Order::default().compare(a, b));
            let known = list.by_caller(phone, account, since, limit).unwrap();
            prop_assert_eq!(known.total as usize, theirs.len());
            prop_assert_eq!(known.recent as usize, theirs.iter().filter(|row| row.ticket.received >= since).count());
            let open: Vec<CaseFile> = theirs.into_iter().filter(CaseFile::is_open).take(limit).collect();
            prop_assert_eq!(known.open, open);
        }
    }
}

#[test]
fn tickets_are_found_by_id_and_number_and_counted_by_type_and_stage() {
    let folder = TempDir::new().unwrap();
    let list = opened(&folder);
    let (facts, head) = some_history();
    list.apply(&facts, head).unwrap();
    let rows = folded(&facts);
    let mut stock = Stock::default();
    for row in &rows {
        stock.add(row);
        assert_eq!(list.by_id(row.id).unwrap().as_ref(), Some(row));
        let first = rows.iter().filter(|other| other.number == row.number).min_by_key(|other| other.opened).unwrap();
        assert_eq!(list.by_number(&row.number).unwrap(), Some(first.id));
    }
    assert_eq!(list.counts().unwrap(), stock);
    assert_eq!(list.by_number("' OR 1=1 --").unwrap(), None);
    assert_eq!(list.by_id(TicketId(uuid::Uuid::from_u128(99))).unwrap(), None);
}

#[test]
fn sql_in_a_value_is_just_a_value() {
    let folder = TempDir::new().unwrap();
    let list = opened(&folder);
    let (facts, head) = some_history();
    list.apply(&facts, head).unwrap();
    for filter in [
        "number = \"' OR 1=1 --\"",
        "external = \"x:'; DROP TABLE ticket; --\"",
        "number = \"\\\" OR open = 1\"",
        "category = \"%' OR ''='\"",
    ] {
        assert_eq!(list.list(&asked(filter, 50), &Question::default()).unwrap().total, 0, "{filter}");
    }
    assert_eq!(list.list(&asked("", 50), &Question::default()).unwrap().total, folded(&facts).len() as u64);
}

#[test]
fn the_checkpoint_moves_on_without_facts_and_never_back() {
    let folder = TempDir::new().unwrap();
    let list = opened(&folder);
    assert_eq!(list.checkpoint(), 0);
    list.apply(&[], 7).unwrap();
    list.apply(&[], 3).unwrap();
    assert_eq!(list.checkpoint(), 7);
    drop(list);
    assert_eq!(opened(&folder).checkpoint(), 7);
}

#[test]
fn a_page_goes_on_where_it_ended_whatever_was_written_in_between() {
    let folder = TempDir::new().unwrap();
    let list = opened(&folder);
    let (facts, _) = some_history();
    let (early, late) = facts.split_at(facts.len() / 2);
    list.apply(early, 0).unwrap();
    let query = asked("", 1);
    let first = list.list(&query, &Question::default()).unwrap();
    list.apply(late, 0).unwrap();
    let rest = list.list(&Query { page_size: 100, after: first.next, ..query.clone() }, &Question::default()).unwrap();
    let last = &first.rows[0];
    assert!(rest.rows.iter().all(|row| query.order.compare(last, row).is_lt()));
    assert!(rest.next.is_none());
}

#[test]
fn a_token_of_other_arguments_is_refused() {
    let folder = TempDir::new().unwrap();
    let list = opened(&folder);
    let (facts, head) = some_history();
    list.apply(&facts, head).unwrap();
    let query = asked("confidential != true AND open = true", 1);
    let query = if list.list(&query, &Question::default()).unwrap().next.is_some() { query } else { asked("", 1) };
    let token = query.token(&list.list(&query, &Question::default()).unwrap().next.unwrap());

    assert!(query.clone().continued(&token).unwrap().after.is_some());
    assert_eq!(query.clone().continued("").unwrap().after, None);
    let by_number = Order::parse("number").unwrap();
    for other in [
        Query { page_size: 2, ..query.clone() },
        Query { order: by_number, ..query.clone() },
        Query { filter: Filter::parse("open = false").unwrap(), ..query.clone() },
    ] {
        assert_eq!(other.continued(&token), Err(ForeignToken));
    }
    for bad in ["x", "????", "AAAA", &token[1..], &token[..token.len() - 2], &"A".repeat(5000)] {
        assert_eq!(query.clone().continued(bad), Err(ForeignToken), "{bad}");
    }
}

#[test]
fn a_deleted_an_unreadable_and_an_older_file_are_rebuilt() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(FILE_NAME);
    let (facts, head) = some_history();
    let whole = {
        let list = opened(&folder);
        list.apply(&facts, head).unwrap();
        dumped(&list)
    };
    let tampered = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let spoil: [&dyn Fn(); 5] = [
        &|| fs::remove_file(&path).unwrap(),
        &|| fs::write(&path, b"this is no database, and long enough to be sure of it").unwrap(),
        &|| fs::write(&path, b"").unwrap(),
        &|| tampered("UPDATE state SET view_version = 1"),
        &|| tampered("DROP TABLE state"),
    ];
    for (case, spoil) in spoil.iter().enumerate() {
        spoil();
        let list = opened(&folder);
        assert_eq!(list.checkpoint(), 0, "case {case}");
        list.apply(&facts, head).unwrap();
        assert_eq!(dumped(&list), whole, "case {case}");
    }
}

#[test]
fn a_page_that_breaks_under_way_is_named_and_rebuilt_at_the_next_start() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(FILE_NAME);
    let (facts, head) = some_history();
    let list = opened(&folder);
    list.apply(&facts, head).unwrap();
    drop(list);
    // Damages everything except the first page, which holds the form, and the small table of the checkpoint.
    let mut bytes = fs::read(&path).unwrap();
    bytes[2 * 4096..].fill(0xa5);
    fs::write(&path, bytes).unwrap();

    let list = opened(&folder);
    assert!(matches!(list.list(&asked("", 50), &Question::default()), Err(ReadModelError::Corrupt(_))));
    drop(list);
    assert_eq!(opened(&folder).checkpoint(), 0);
}

#[test]
fn a_batch_that_fails_half_way_leaves_rows_and_checkpoint_as_they_were() {
    let folder = TempDir::new().unwrap();
    let list = opened(&folder);
    let (facts, head) = some_history();
    let (early, late) = facts.split_at(facts.len() / 3);
    list.apply(early, 0).unwrap();
    let (before, checkpoint) = (dumped(&list), list.checkpoint());
    let outsider = Connection::open(folder.path().join(FILE_NAME)).unwrap();
    outsider
        .execute_batch(
            "CREATE TRIGGER broken BEFORE UPDATE ON state BEGIN SELECT RAISE(ABORT, 'the disk is full, say'); END",
        )
        .unwrap();
    assert!(matches!(list.apply(late, head), Err(ReadModelError::Unavailable(_))));
    assert_eq!((dumped(&list), list.checkpoint()), (before, checkpoint));

    outsider.execute_batch("DROP TRIGGER broken").unwrap();
    list.apply(late, head).unwrap();
    let zero = TempDir::new().unwrap();
    let rebuilt = opened(&zero);
    rebuilt.apply(&facts, head).unwrap();
    assert_eq!(dumped(&list), dumped(&rebuilt));
}

#[test]
fn a_list_that_starts_over_is_empty_and_takes_the_log_again() {
    let folder = TempDir::new().unwrap();
    let list = opened(&folder);
    let (facts, head) = some_history();
    list.apply(&facts, head).unwrap();
    let whole = dumped(&list);
    list.start_over().unwrap();
    assert_eq!((list.checkpoint(), list.list(&asked("", 50), &Question::default()).unwrap().total), (0, 0));
    list.apply(&facts, head).unwrap();
    assert_eq!(dumped(&list), whole);
}

#[test]
fn readers_see_whole_batches_while_one_writes() {
    let folder = TempDir::new().unwrap();
    let list = opened(&folder);
    let (facts, head) = some_history();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..6)
            .map(|_| {
                let list = list.clone();
                scope.spawn(move || {
                    let mut last = 0;
                    while last < head {
                        let page = list.list(&asked("", 1000), &Question::default()).unwrap();
                        assert_eq!(page.total, page.rows.len() as u64);
                        assert!(page.rows.iter().all(|row| row.position <= page.position) && page.position >= last);
                        last = page.position;
                    }
                })
            })
            .collect();
        for batch in facts.chunks(7) {
            list.apply(batch, 0).unwrap();
        }
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

#[test]
fn the_usual_questions_use_an_index() {
    let folder = TempDir::new().unwrap();
    drop(opened(&folder));
    let connection = Connection::open(folder.path().join(FILE_NAME)).unwrap();
    let plan = |sql: &str| -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let lines = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    };
    let page = |condition: &str| plan(&question::ordered(condition, "received_at", "DESC", 51));
    for (condition, index) in [
        ("TRUE AND (received_at, opened) < (1, 2)", "ticket_received"),
        ("TRUE AND open = 1", "ticket_open"),
        ("TRUE AND open = 1 AND (received_at, opened) < (1, 2)", "ticket_open"),
    ] {
        let plan = page(condition);
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{condition}: {plan}");
    }
    let by_key = plan("SELECT count(*) FROM ticket WHERE phone_key = 'a' OR account_key = 'b'");
    assert!(by_key.contains("ticket_phone") && by_key.contains("ticket_account"), "{by_key}");
    assert!(plan("SELECT count(*) FROM ticket WHERE external = 'a:b'").contains("ticket_external"));
    assert!(plan("SELECT count(*) FROM ticket WHERE number = '1'").contains("ticket_number"));
    let held = plan("SELECT count(*) FROM ticket WHERE (holder = 'a' OR (holder > 'a/' AND holder < 'a0'))");
    assert!(held.contains("ticket_holder"), "{held}");
}
