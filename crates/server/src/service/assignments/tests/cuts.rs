//! Readers that leave and return while facts are appended without a pause. They resume by token or by snapshot, and
//! read from the line or from history. Every reader must get its crew's last change, although no later change would
//! wake it.

use std::time::Duration;

use super::*;

/// The longest wait for the last change. After it, the reader was not woken.
const PATIENCE: Duration = Duration::from_secs(10);
/// The number of generated logs.
const CASES: u32 = 16;
/// The readers of each crew.
const READERS: usize = 2;

/// One visit of a reader.
#[derive(Clone, Debug)]
struct Stay {
    /// True if it resumes where the previous visit ended; otherwise it begins with a snapshot.
    by_token: bool,
    /// The waits for further changes before it leaves.
    waits: u8,
    /// The facts that it misses before the next visit.
    away: u8,
}

fn stays() -> impl Strategy<Value = Vec<Stay>> {
    let stay = (any::<bool>(), 0u8..3, 0u8..16).prop_map(|(by_token, waits, away)| Stay { by_token, waits, away });
    prop::collection::vec(stay, 4..10)
}

/// The messages of one visit.
#[derive(Debug, PartialEq)]
struct Part {
    from: u64,
    snapshot: Option<Snapshot>,
    told: Vec<(u64, AssignmentChange)>,
    upto: u64,
}

/// A reader of one crew.
struct Reader {
    assignments: Arc<Assignments>,
    crew: CrewId,
    /// The position of the crew's last change.
    last: u64,
    /// The last position of the log.
    end: u64,
}

impl Reader {
    /// Reads until it has waited `waits` times, or until it has the last change. Without `waits` it stays for the last
    /// change.
    async fn stay(&self, token: Option<u64>, waits: Option<u8>) -> Part {
        let mut line = self.assignments.watch(&self.crew);
        let (snapshot, from) = match token {
            Some(from) => (None, from),
            None => {
                let (snapshot, position) = self.assignments.snapshot(&self.crew);
                (Some(snapshot), position)
            }
        };
        let mut part = Part { from, snapshot, told: Vec::new(), upto: from };
        let mut waited = 0;
        while part.upto < self.last {
            line.mark_unchanged();
            let pulled = self.assignments.pull(&self.crew, part.upto).await.unwrap();
            part.told.extend(plain(&pulled.crew_changes));
            part.upto = pulled.upto;
            if !pulled.crew_changes.is_empty() || part.upto >= self.last {
                continue;
            }
            if waits.is_some_and(|most| waited >= most) {
                break;
            }
            waited += 1;
            line.changed().await.unwrap();
        }
        part
    }

    async fn read(self, stays: Vec<Stay>) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let mut at = 0;
        for stay in stays {
            let part = self.stay(stay.by_token.then_some(at), Some(stay.waits)).await;
            at = part.upto;
            parts.push(part);
            assert!(self.assignments.reach(self.end.min(at + u64::from(stay.away))).await);
        }
        parts.push(self.stay(Some(at), None).await);
        parts
    }
}

/// Appends a ticket for each crew and dispatches it to that crew: this is the crew's last change.
fn with_an_end(log: Vec<TicketFact>) -> Vec<TicketFact> {
    let mut facts = log;
    let fresh = |n: usize| TicketId(Uuid::from_bytes([100 + u8::try_from(n).unwrap(); 16]));
    // A generated log begins with the opening of as many tickets as there are crews.
    let opened = facts[..CREWS.len()].iter().map(|fact| fact.event.clone()).enumerate();
    let opened: Vec<_> = opened.map(|(n, event)| (fresh(n), event)).collect();
    let sent = (0..CREWS.len()).map(|n| (fresh(n), dispatched("sgcc", CREWS[n])));
    for (ticket, event) in opened.into_iter().chain(sent) {
        facts.push(fact(facts.len() as u64 + 1, ticket, event));
    }
    facts
}

/// The snapshot of every crew at every position, computed by the fold alone.
async fn standing(world: &World) -> Vec<[Snapshot; CREWS.len()]> {
    let mut fold = Fold::default();
    let shown = |fold: &Fold| std::array::from_fn(|n| fold.snapshot(&crew(n)));
    let mut at_each = vec![shown(&fold)];
    for entry in world.feed.page(0, 10_000).await.unwrap() {
        if let Some(fact) = &entry.fact {
            if let Some(id) = fold.forgotten(fact) {
                fold.recall(tickets(&world.feed.history(id, fact.position()).await.unwrap()));
            }
            fold.apply(fact);
        }
        at_each.push(shown(&fold));
    }
    at_each
}

async fn every_stay_is_told_what_is_true(log: Vec<TicketFact>, plans: Vec<Vec<Stay>>) -> TestCaseResult {
    let facts = with_an_end(log);
    let end = facts.len() as u64;
    let mut world = World::new().await;
    let (assignments, _running) = world.assignments().await;
    let readers = plans.into_iter().enumerate().map(|(n, stays)| {
        let n = n % CREWS.len();
        let last = end - (CREWS.len() - 1 - n) as u64;
        let reader = Reader { assignments: Arc::clone(&assignments), crew: crew(n), last, end };
        (n, tokio::spawn(reader.read(stays)))
    });
    let readers: Vec<_> = readers.collect();
    for fact in &facts {
        world.append(fact).await;
    }
    let mut read = Vec::new();
    for (n, reading) in readers {
        let parts = tokio::time::timeout(PATIENCE, reading).await;
        prop_assert!(parts.is_ok(), "crew {} waits for what it was not told", n);
        read.push((n, parts.unwrap().unwrap()));
    }
    let (expected, standing) = (world.expected().await, standing(&world).await);
    prop_assert_eq!(world.head(), end);
    for (n, parts) in read {
        for part in parts {
            let between = |position: &u64| (part.from + 1..=part.upto).contains(position);
            let due = expected[&crew(n)].iter().filter(|(position, _)| between(position)).cloned().collect::<Vec<_>>();
            prop_assert_eq!(&part.told, &due, "crew {} from {} to {}", n, part.from, part.upto);
            if let Some(snapshot) = &part.snapshot {
                let truth = standing.get(usize::try_from(part.from).unwrap()).map(|crews| &crews[n]);
                prop_assert_eq!(Some(snapshot), truth, "crew {} at {}", n, part.from);
            }
        }
    }
    Ok(())
}

proptest! {
    // Shrinking does not reproduce a race.
    #![proptest_config(ProptestConfig { max_shrink_iters: 0, ..ProptestConfig::with_cases(CASES) })]
    #[test]
    fn a_reader_that_comes_and_goes_while_facts_are_written_misses_nothing(
        log in log(60),
        plans in prop::collection::vec(stays(), READERS * CREWS.len()),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(every_stay_is_told_what_is_true(log, plans))?;
    }
}
