//! Faults that are put into the world on purpose, one at a time: each must turn the suite red, or the suite proves nothing.

/// A deliberate fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// None.
    Nothing,
    /// A want that is tried again has another request id.
    FreshRequestIds,
    /// The ledger forgets what it answered.
    ForgetfulLedger,
    /// Commands are now and then decided on a stream without its last fact, and appended nevertheless.
    BlindAppends,
    /// Whoever accepts an offer may carry any fence.
    FenceIgnored,
    /// A lease that ran out frees the crew without a word to the ticket's stream.
    ExpiryByClock,
    /// Nobody proposes that a lease ran out.
    NoExpiry,
    /// A crew whose offer ended is not freed.
    NoRelease,
    /// A crew that accepted is not committed.
    NoCommitment,
    /// A reserved crew is not made the offer.
    NoOffer,
    /// A process that is resumed misses a fact.
    CursorAhead,
    /// A ticket that is taken up again comes without its history.
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
