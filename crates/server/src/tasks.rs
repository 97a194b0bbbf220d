//! The tasks that run as long as the server: none of them may end by itself, and one that does is said loudly and makes the server
//! unready. None is started again: why it ended is a fault of the program, and a new start of the whole is cleaner.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::task::{AbortHandle, JoinHandle};

/// Whether a task ended that should not have.
#[derive(Clone, Debug, Default)]
pub struct Fallen(Arc<AtomicBool>);

impl Fallen {
    /// Whether one did.
    #[must_use]
    pub fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The tasks, by name.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    fallen: Fallen,
    running: Vec<AbortHandle>,
}

impl Tasks {
    /// No tasks yet.
    pub(crate) fn new(fallen: Fallen) -> Self {
        Self { fallen, running: Vec::new() }
    }

    /// Looks after a task from now on.
    pub(crate) fn tend(mut self, name: &'static str, task: JoinHandle<()>) -> Self {
        self.running.push(task.abort_handle());
        let fallen = self.fallen.clone();
        tokio::spawn(async move {
            let ended = task.await;
            if ended.as_ref().is_err_and(tokio::task::JoinError::is_cancelled) {
                return;
            }
            tracing::error!(task = name, ?ended, "a task ended that should not have; the server must be started anew");
            metrics::counter!("switchboard_tasks_fallen_total", "task" => name).increment(1);
            fallen.0.store(true, Ordering::Relaxed);
        });
        self
    }

    /// Ends them all in good order.
    pub(crate) fn end(&self) {
        self.running.iter().for_each(AbortHandle::abort);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_by_itself_is_noticed_and_one_that_is_ended_is_not() {
        let fallen = Fallen::default();
        let tasks = Tasks::new(fallen.clone()).tend("waits", tokio::spawn(std::future::pending()));
        tasks.end();
        tokio::task::yield_now().await;
        assert!(!fallen.any());
        let _tasks = tasks.tend("panics", tokio::spawn(async { panic!("as it may") }));
        while !fallen.any() {
            tokio::task::yield_now().await;
        }
    }
}
