//! Background tasks, which must not end before the server. If one does, an error is logged and the server reports
//! not-ready. The task is not restarted: its end is a bug of the program, and a restart of the whole server is cleaner.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::task::{AbortHandle, JoinHandle};

/// A shared flag: a background task ended although the server still ran.
#[derive(Clone, Debug, Default)]
pub struct TaskFailure(Arc<AtomicBool>);

impl TaskFailure {
    /// True if such a task ended.
    #[must_use]
    pub fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Records that a task ended by itself.
    pub(crate) fn record(&self, task: &'static str, ended: &dyn std::fmt::Debug) {
        tracing::error!(task, ?ended, "a task ended by itself; the server must be restarted");
        metrics::counter!("switchboard_task_failures_total", "task" => task).increment(1);
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The supervised tasks.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    task_failure: TaskFailure,
    running: Vec<AbortHandle>,
}

impl Tasks {
    /// An empty set of tasks.
    pub(crate) fn new(task_failure: TaskFailure) -> Self {
        Self { task_failure, running: Vec::new() }
    }

    /// Supervises a task. Its end sets `task_failure`, unless it was aborted.
    pub(crate) fn supervise(mut self, name: &'static str, task: JoinHandle<()>) -> Self {
        self.running.push(task.abort_handle());
        let task_failure = self.task_failure.clone();
        tokio::spawn(async move {
            let ended = task.await;
            if ended.as_ref().is_err_and(tokio::task::JoinError::is_cancelled) {
                return;
            }
            task_failure.record(name, &ended);
        });
        self
    }

    /// Aborts all tasks. This does not count as a failure.
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
