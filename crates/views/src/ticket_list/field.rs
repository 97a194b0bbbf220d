//! The fields of a ticket that a filter may name, and what stands in them. One table for the reference and for every
//! keeper: a keeper that stores what [`Field::of`] returns answers as [`Filter::matches`](super::Filter::matches)
//! does.

use std::borrow::Cow;

use switchboard_domain::{
    organisation::OrgPath,
    ticket::{BusinessType, CaseFile, Category, Channel, CrewProgress, Grade, Stage, Urgency},
};

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)+) => {
        /// A field that a filter may name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Field { $($(#[$doc])* $variant,)+ }
        impl Field {
            /// Every field.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// Its name in a filter.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
            /// The field of that name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

fields! {
    /// Business stage, a word.
    Stage = "stage",
    /// Business type, a word.
    BusinessType = "business_type",
    /// Urgency, a word.
    Urgency = "urgency",
    /// Complaint grade, a word or nothing.
    Grade = "grade",
    /// How far the crew is, a word.
    CrewProgress = "crew_progress",
    /// Channel, a word.
    Channel = "channel",
    /// Whether something is still to be done.
    Open = "open",
    /// Whether it is under supervision.
    Supervised = "supervised",
    /// Whether the work waits.
    Suspended = "suspended",
    /// Whether the one who spoke is hidden.
    Confidential = "confidential",
    /// The number that people use.
    Number = "number",
    /// Another system's number, as `issuer:value`.
    External = "external",
    /// The present holder, a path.
    Holder = "holder",
    /// The unit that received it, a path.
    ReceivedBy = "received_by",
    /// The audited, else confirmed, else accepted category, a path or nothing.
    Category = "category",
    /// When the customer reported.
    ReceivedAt = "received_at",
    /// When its last fact happened.
    UpdatedAt = "updated_at",
}

/// What stands in a field of one ticket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Datum<'a> {
    /// Nothing.
    Nothing,
    /// Yes or no.
    Flag(bool),
    /// An instant in microseconds since 1970.
    Time(i64),
    /// A word, a text or a path.
    Text(Cow<'a, str>),
}

impl<'a> Datum<'a> {
    fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

/// The crew's steps by name; `domain` needs no list of them.
const CREW_PROGRESS: [CrewProgress; 7] = [
    CrewProgress::None,
    CrewProgress::Assigned,
    CrewProgress::Accepted,
    CrewProgress::EnRoute,
    CrewProgress::Arrived,
    CrewProgress::Diagnosed,
    CrewProgress::Restored,
];

impl Field {
    /// What stands in this field of the ticket with this case file.
    #[must_use]
    pub fn of(self, file: &CaseFile) -> Datum<'_> {
        let ticket = &file.ticket;
        match self {
            Self::Stage => Datum::text(ticket.stage.as_str()),
            Self::BusinessType => Datum::text(ticket.business.as_str()),
            Self::Urgency => Datum::text(ticket.urgency.as_str()),
            Self::Grade => ticket.grade.map_or(Datum::Nothing, |grade| Datum::text(grade.as_str())),
            Self::CrewProgress => Datum::text(ticket.crew.progress().as_str()),
            Self::Channel => Datum::text(file.channel.as_str()),
            Self::Open => Datum::Flag(file.is_open()),
            Self::Supervised => Datum::Flag(ticket.supervised),
            Self::Suspended => Datum::Flag(ticket.suspended.is_some()),
            Self::Confidential => Datum::Flag(ticket.confidential),
            Self::Number => Datum::text(&file.number),
            Self::External => file
                .external
                .as_ref()
                .map_or(Datum::Nothing, |e| Datum::Text(Cow::Owned(format!("{}:{}", e.issuer, e.value)))),
            Self::Holder => Datum::text(file.holder().as_str()),
            Self::ReceivedBy => Datum::text(file.received_by.as_str()),
            Self::Category => file.category().map_or(Datum::Nothing, |category| Datum::text(category.as_str())),
            Self::ReceivedAt => Datum::Time(ticket.received.timestamp_micros()),
            Self::UpdatedAt => Datum::Time(file.updated_at.timestamp_micros()),
        }
    }

    /// The words that may stand in it, in their usual order; none for a field of another form.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        match self {
            Self::Stage => Stage::ALL.iter().map(|word| word.as_str()).collect(),
            Self::BusinessType => BusinessType::ALL.iter().map(|word| word.as_str()).collect(),
            Self::Urgency => Urgency::ALL.iter().map(|word| word.as_str()).collect(),
            Self::Grade => Grade::ALL.iter().map(|word| word.as_str()).collect(),
            Self::CrewProgress => CREW_PROGRESS.iter().map(|word| word.as_str()).collect(),
            Self::Channel => Channel::ALL.iter().map(|word| word.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether earlier and later mean something: it also takes `<`, `<=`, `>` and `>=`.
    #[must_use]
    pub fn is_time(self) -> bool {
        matches!(self, Self::ReceivedAt | Self::UpdatedAt)
    }

    /// The form of its values, for people.
    #[must_use]
    pub fn form(self) -> String {
        match self {
            Self::Open | Self::Supervised | Self::Suspended | Self::Confidential => "true or false".into(),
            Self::Number => "a ticket's number".into(),
            Self::External => "issuer:value".into(),
            Self::Holder | Self::ReceivedBy => OrgPath::FORM.into(),
            Self::Category => Category::FORM.into(),
            Self::ReceivedAt | Self::UpdatedAt => "a time such as 2024-01-01T00:00:00Z (RFC 3339)".into(),
            words => format!("one of {}", words.words().join(", ")),
        }
    }
}
