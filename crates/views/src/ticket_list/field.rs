//! The fields of a ticket that a filter may name, and their values. The reference and every store of a list use this
//! one table: a store that keeps the result of [`Field::of`] selects the same tickets as
//! [`Filter::matches`](super::Filter::matches).

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
            /// All fields.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// The name in a filter.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
            /// The field with this name; `None` for an unknown name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

fields! {
    /// Business stage: a word.
    Stage = "stage",
    /// Business type: a word.
    BusinessType = "business_type",
    /// Urgency: a word.
    Urgency = "urgency",
    /// Complaint grade: a word, or empty.
    Grade = "grade",
    /// Progress of the crew: a word.
    CrewProgress = "crew_progress",
    /// Channel: a word.
    Channel = "channel",
    /// True while the ticket is in flight.
    Open = "open",
    /// True when the ticket is under supervision.
    Supervised = "supervised",
    /// True while the work is suspended.
    Suspended = "suspended",
    /// True when the caller's identity is hidden.
    Confidential = "confidential",
    /// The ticket number.
    Number = "number",
    /// The number that another system gave, as `issuer:value`.
    External = "external",
    /// The present holder: a path.
    Holder = "holder",
    /// The unit that received the ticket: a path.
    ReceivedBy = "received_by",
    /// The audited category; else the confirmed one; else the accepted one. A path, or empty.
    Category = "category",
    /// The instant of the customer's report.
    ReceivedAt = "received_at",
    /// The instant at which the last fact happened.
    UpdatedAt = "updated_at",
}

/// The value of a field of one ticket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Datum<'a> {
    /// The field is empty.
    Nothing,
    /// True or false.
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

/// All steps of a crew. The domain has no such list.
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
    /// The value of this field for the ticket with this case file.
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

    /// The permitted words, in their usual order; empty for a field of another form.
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

    /// True for an instant: such a field also permits `<`, `<=`, `>` and `>=`.
    #[must_use]
    pub fn is_time(self) -> bool {
        matches!(self, Self::ReceivedAt | Self::UpdatedAt)
    }

    /// A description of the permitted values, for error messages.
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
