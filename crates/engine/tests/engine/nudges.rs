//! Nudges: a process with work other than facts is asked at once, without any clock.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use switchboard_domain::{
    Timestamp,
    decider::{Action, Process, Projection},
    fact::TicketFact,
};
use switchboard_engine::{
    feed::Feed,
    reactor::{self, ActionOutcome, Pace, Start},
};
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

use crate::{feed::PATIENCE, house::House};

/// A process without actions that counts how often it is asked. It is to be asked while it has work.
struct Clerk {
    work: Arc<AtomicBool>,
    asked: watch::Sender<usize>,
}

impl Projection for Clerk {
    type Event = TicketFact;

    fn apply(&mut self, _: &TicketFact) {}
}

impl Process for Clerk {
    type Intent = ();

    fn name(&self) -> &'static str {
        "clerk"
    }

    fn pending(&mut self, _: Timestamp, _: usize) -> Vec<Action<()>> {
        self.work.store(false, Ordering::SeqCst);
        self.asked.send_modify(|asked| *asked += 1);
        Vec::new()
    }

    fn wake(&self) -> Option<Timestamp> {
        self.work.load(Ordering::SeqCst).then_some(Timestamp::MIN_UTC)
    }

    fn refused(&mut self, _: &Action<()>, reason: &str) {
        panic!("{reason}")
    }
}

#[tokio::test]
async fn a_nudge_has_a_process_asked_that_has_work_and_no_other() {
    let house = House::new();
    let (work, nudge) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let (sender, mut asked) = watch::channel(0);
    let clerk = Clerk { work: Arc::clone(&work), asked: sender };
    let (feed, following) = Feed::follow(Arc::clone(&house.store)).await.unwrap();
    let start = Start::at(0, clerk).nudged_by(Arc::clone(&nudge));
    let running = reactor::run(&feed, house.clock.clone(), start, Pace::default(), async |_| ActionOutcome::Later);
    timeout(PATIENCE, asked.wait_for(|asked| *asked == 1)).await.expect("it is asked at first").unwrap();
    nudge.notify_one();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    work.store(true, Ordering::SeqCst);
    nudge.notify_one();
    let again = timeout(PATIENCE, asked.wait_for(|asked| *asked > 1)).await.expect("work is seen").map(|asked| *asked);
    assert_eq!(again.unwrap(), 2, "without work a nudge is no reason to ask");
    following.abort();
    running.abort();
}
