//! The interface of a read model that follows the log. It is one short trait, like those of [`crate::decider`].

use std::{error::Error, sync::Arc};

use crate::{fact::Fact, position::LogId};

/// A read model that keeps its own checkpoint.
pub trait ReadModel: Send + Sync + 'static {
    /// Its name in the text log.
    fn name(&self) -> &'static str;
    /// The position of the last fact that it contains.
    fn checkpoint(&self) -> u64;
    /// Records the id of the log that the model is made from. Cheap when the id is recorded already.
    ///
    /// # Errors
    /// The id was not stored. The caller tries again.
    fn name_log(&self, log: LogId) -> Result<(), Box<dyn Error + Send + Sync>>;
    /// Applies facts of all kinds, in order, and stores `upto`, the position that they reach. Facts at or before the
    /// checkpoint are skipped.
    ///
    /// # Errors
    /// Nothing was stored. The caller tries the same step again.
    fn apply(&self, facts: &[Arc<Fact>], upto: u64) -> Result<(), Box<dyn Error + Send + Sync>>;
}
