//! The closed word lists, each paired with its protobuf enum. The matches are exhaustive in both directions, so a word
//! that is missing on one side does not compile.

use switchboard_domain::{crew, ticket};

/// The protobuf enums under the names of the domain's lists. Only `Tier` is named differently in the API.
mod named {
    pub use crate::proto::{CustomerTier as Tier, *};
}

/// A number that is not in the word list: from a newer client, or a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownWord;

/// A word of a closed list that has a protobuf enum.
pub trait Word: Copy + 'static {
    /// The protobuf enum.
    type Proto: Into<i32>;
    /// The expected form, for error messages.
    const FORM: &'static str;
    /// All words, in the order of the list.
    const WORDS: &'static [Self];

    /// The protobuf value of the word.
    fn proto(self) -> Self::Proto;

    /// The word with this number; `None` for the unspecified value.
    ///
    /// # Errors
    /// [`UnknownWord`] when the list has no such number.
    fn read(number: i32) -> Result<Option<Self>, UnknownWord>;
}

/// The protobuf number of a word.
#[must_use]
pub fn word<W: Word>(word: W) -> i32 {
    word.proto().into()
}

/// The protobuf number of an optional word; 0 (unspecified) when it is absent.
#[must_use]
pub fn maybe_word<W: Word>(maybe: Option<W>) -> i32 {
    maybe.map_or(0, word)
}

macro_rules! words {
    ($domain:ident: $($list:ident { $($word:ident)+ })+) => {$(
        impl Word for $domain::$list {
            type Proto = named::$list;
            const FORM: &'static str = concat!("a known value of ", stringify!($list));
            const WORDS: &'static [Self] = &[$(Self::$word,)+];

            fn proto(self) -> named::$list {
                match self { $(Self::$word => named::$list::$word,)+ }
            }

            fn read(number: i32) -> Result<Option<Self>, UnknownWord> {
                match named::$list::try_from(number) {
                    $(Ok(named::$list::$word) => Ok(Some(Self::$word)),)+
                    Ok(named::$list::Unspecified) => Ok(None),
                    Err(_) => Err(UnknownWord),
                }
            }
        }
    )+};
}

words! {
    ticket:
    BusinessType {
        InformationQuery Consultation FaultRepair Complaint Report Opinion Suggestion Praise ServiceApplication Urge
    }
    Channel { Hotline Ivr App Web Sms Letter Counter Regulator CityHotline Media Proactive }
    Urgency { Normal Urgent }
    Grade { General Important Major Special }
    Area { Urban Rural Remote }
    Premises { Single Multiple }
    Tier { A B C }
    ReturnReason { WrongArea WrongUnit WrongType Incomplete }
    SuspendReason { Customer Works ThirdParty Weather }
    ContactOutcome { Reached Unreachable }
    ReplyOutcome { Resolved NotOurs Explained }
    Ownership { Utility Customer ThirdParty }
    RevisitMethod { Call Bot Sms }
    Satisfaction { VerySatisfied Satisfied Neutral Dissatisfied NoAnswer Refused Unreachable }
    DissatisfactionReason { Attitude Quality ArrivalTime Speed NotRepaired Other }
    Stage { Received Classified Dispatched Accepted Replied AwaitingRevisit ReadyToClose Closed Withdrawn }
    CrewProgress { None Assigned Accepted EnRoute Arrived Diagnosed Restored }
}

words! {
    crew:
    Skill { HighVoltage LowVoltage PowerQuality Metering LiveLine Cable CustomerSide }
    DeclineReason { Equipment Skill Road Crew Occupied Safety }
    Absence { Ill Vehicle Rest OtherWork }
    ReleaseReason {
        Declined Expired Withdrawn TakenByOther NotOffered Done HandedOver Recalled Reassigned TicketEnded Suspended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goes_both_ways<W: Word + PartialEq + std::fmt::Debug>(all: &[W]) {
        for &known in all {
            let number = word(known);
            assert_ne!(number, 0);
            assert_eq!(W::read(number), Ok(Some(known)));
        }
        assert_eq!(W::WORDS.len(), all.len());
        assert_eq!(W::read(0), Ok(None));
        assert_eq!(W::read(99), Err(UnknownWord));
        assert_eq!(W::read(-1), Err(UnknownWord));
    }

    #[test]
    fn every_word_goes_both_ways_and_an_unknown_number_is_no_word() {
        goes_both_ways(ticket::BusinessType::ALL);
        goes_both_ways(ticket::Channel::ALL);
        goes_both_ways(ticket::Urgency::ALL);
        goes_both_ways(ticket::Grade::ALL);
        goes_both_ways(ticket::Area::ALL);
        goes_both_ways(ticket::Premises::ALL);
        goes_both_ways(ticket::Tier::ALL);
        goes_both_ways(ticket::ReturnReason::ALL);
        goes_both_ways(ticket::SuspendReason::ALL);
        goes_both_ways(ticket::ContactOutcome::ALL);
        goes_both_ways(ticket::ReplyOutcome::ALL);
        goes_both_ways(ticket::Ownership::ALL);
        goes_both_ways(ticket::RevisitMethod::ALL);
        goes_both_ways(ticket::Satisfaction::ALL);
        goes_both_ways(ticket::DissatisfactionReason::ALL);
        goes_both_ways(&ticket::Stage::ALL);
        goes_both_ways(crew::Skill::ALL);
        goes_both_ways(crew::DeclineReason::ALL);
        goes_both_ways(crew::Absence::ALL);
        goes_both_ways(crew::ReleaseReason::ALL);
    }
}
