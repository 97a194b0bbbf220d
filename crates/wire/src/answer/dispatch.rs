//! Conversion of the data for crews and dispatch desks. It contains no personal data.

use switchboard_domain::{
    Timestamp,
    crew::{Point, Skills},
    ticket::{Category, Place, TicketId, Urgency},
};

use super::{place, timestamp, word};
use crate::proto;

/// A position in protobuf.
#[must_use]
pub fn position(at: Point) -> proto::Position {
    proto::Position { latitude_e6: at.latitude_e6, longitude_e6: at.longitude_e6 }
}

/// A set of skills in protobuf, in the order of the word list.
#[must_use]
pub fn skills(skills: Skills) -> Vec<i32> {
    skills.iter().map(word).collect()
}

/// The data about a ticket that a crew needs before it leaves.
#[derive(Clone, Copy, Debug)]
pub struct Brief<'t> {
    /// The ticket.
    pub id: TicketId,
    /// Its number.
    pub number: &'t str,
    /// The place on the grid.
    pub place: &'t Place,
    /// The accepted category.
    pub category: Option<&'t Category>,
    /// The urgency.
    pub urgency: Urgency,
    /// The number of customers without power, if known.
    pub customers_out: Option<u32>,
    /// The instant of the customer's report.
    pub reported: Timestamp,
}

/// The brief in protobuf.
#[must_use]
pub fn brief(ticket: &Brief<'_>) -> proto::TicketBrief {
    proto::TicketBrief {
        ticket_id: ticket.id.to_string(),
        number: ticket.number.to_owned(),
        place: Some(place(ticket.place)),
        category: ticket.category.map(|category| category.as_str().to_owned()),
        urgency: word(ticket.urgency),
        customers_out: ticket.customers_out,
        reported_at: Some(timestamp(ticket.reported)),
    }
}

#[cfg(test)]
mod tests {
    use switchboard_domain::crew::Skill;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn skills_are_shown_in_the_order_of_the_list() {
        let set = Skills::of(&[Skill::Cable, Skill::HighVoltage]);
        assert_eq!(skills(set), [proto::Skill::HighVoltage as i32, proto::Skill::Cable as i32]);
        assert_eq!(skills(Skills::NONE), [0_i32; 0]);
    }

    #[test]
    fn a_brief_says_where_what_and_since_when() {
        let place =
            Place { feeder: Some("F1".into()), location_e6: Some((30_000_000, 120_000_000)), ..Place::default() };
        let category = Category::parse("a/b").unwrap();
        let ticket = Brief {
            id: TicketId(Uuid::from_u128(7)),
            number: "2026112200000001",
            place: &place,
            category: Some(&category),
            urgency: Urgency::Urgent,
            customers_out: Some(3),
            reported: Timestamp::UNIX_EPOCH,
        };
        let shown = brief(&ticket);
        assert_eq!(shown.ticket_id, ticket.id.to_string());
        assert_eq!((shown.number.as_str(), shown.category.as_deref()), (ticket.number, Some("a/b")));
        assert_eq!((shown.urgency(), shown.customers_out), (proto::Urgency::Urgent, Some(3)));
        let place = shown.place.unwrap();
        assert_eq!((place.feeder.as_deref(), place.latitude_e6), (Some("F1"), Some(30_000_000)));
        assert_eq!(position(Point { latitude_e6: -1, longitude_e6: 2 }).longitude_e6, 2);
    }
}
