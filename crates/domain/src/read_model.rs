//! What a read model must do to be kept up to date with the log: one page, like the traits of [`crate::decider`].

use std::{error::Error, sync::Arc};

use crate::{fact::Fact, position::LogId};

/// A read model that keeps its own checkpoint.
pub trait ReadModel: Send + Sync + 'static {
    /// Its name, for logs.
    fn name(&self) -> &'static str;
    /// The position up to which it is true.
    fn checkpoint(&self) -> u64;
    /// Writes down that the model is made from this log. Costs nothing when it is known.
    ///
    /// # Errors
    /// When it was not kept; it will be tried again.
    fn name_log(&self, log: LogId) -> Result<(), Box<dyn Error + Send + Sync>>;
    /// Takes facts of all kinds into account, in order, together with the position `upto` that they reach. Facts seen
    /// before are passed over.
    ///
    /// # Errors
    /// When nothing of it was kept; the step will be tried again.
    fn apply(&self, facts: &[Arc<Fact>], upto: u64) -> Result<(), Box<dyn Error + Send + Sync>>;
}
