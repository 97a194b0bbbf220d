//! The tasks that run as long as the server: none of them may end by itself, and one that does is said loudly and makes the server
//! unready. None is started again: why it ended is a fault of the program, and a new start of the whole is cleaner.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::task::{AbortHandle, JoinHandle};

/// Whether a task ended that should not have.
#[derive(Clone, Debug, Default)]
pub struct TaskFailure(Arc<AtomicBool>);

impl TaskFailure {
    /// Whether one did.
    #[must_use]
    pub fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The tasks, by name.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    task_failure: TaskFailure,
    running: Vec<AbortHandle>,
}

impl Tasks {
    /// No tasks yet.
    pub(crate) fn new(task_failure: TaskFailure) -> Self {
        Self { task_failure, running: Vec::new() }
    }

    /// Looks after a task from now on.
    pub(crate) fn supervise(mut self, name: &'static str, task: JoinHandle<()>) -> Self {
        self.running.push(task.abort_handle());
        let task_failure = self.task_failure.clone();
        tokio::spawn(async move {
            let ended = task.await;
            if ended.as_ref().is_err_and(tokio::task::JoinError::is_cancelled) {
                return;
            }
            tracing::error!(task = name, ?ended, "a task ended that should not have; the server must be started anew");
            metrics::counter!("switchboard_tasks_fallen_total", "task" => name).increment(1);
            task_failure.0.store(true, Ordering::Relaxed);
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
        let task_failure = TaskFailure::default();
        let tasks = Tasks::new(task_failure.clone()).supervise("waits", tokio::spawn(std::future::pending()));
        tasks.end();
        tokio::task::yield_now().await;
        assert!(!task_failure.any());
        let _tasks = tasks.supervise("panics", tokio::spawn(async { panic!("as it may") }));
        while !task_failure.any() {
            tokio::task::yield_now().await;
        }
    }
}
