//! Faults that are planted into the world on purpose, one at a time. Each must make the tests fail; otherwise the tests
//! prove nothing.

/// A deliberate fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// No fault.
    Nothing,
    /// An action that is retried has another request id.
    FreshRequestIds,
    /// The ledger forgets its answers.
    ForgetfulLedger,
    /// Some commands are decided on a stream without its last fact, and appended nevertheless.
    BlindAppends,
    /// An acceptance of an offer may have any fence.
    FenceIgnored,
    /// An expired lease frees the crew without a fact in the ticket's stream.
    ExpiryByClock,
    /// The process never ends an expired offer.
    NoExpiry,
    /// A crew whose offer ended is not freed.
    NoRelease,
    /// A crew that accepted is not committed.
    NoCommitment,
    /// A reserved crew gets no offer.
    NoOffer,
    /// A process that is resumed misses a fact.
    CursorAhead,
    /// A ticket that is reopened comes without its history.
    NoHistory,
    /// A pinned ticket is offered to any crew.
    PinIgnored,
    /// A crew that cannot come keeps its ticket.
    NoRecall,
}

impl Planted {
    /// All faults.
    pub const FAULTS: [Self; 13] = [
        Self::FreshRequestIds,
        Self::ForgetfulLedger,
        Self::BlindAppends,
        Self::FenceIgnored,
        Self::ExpiryByClock,
        Self::NoExpiry,
        Self::NoRelease,
        Self::NoCommitment,
        Self::NoOffer,
        Self::CursorAhead,
        Self::NoHistory,
        Self::PinIgnored,
        Self::NoRecall,
    ];
}
