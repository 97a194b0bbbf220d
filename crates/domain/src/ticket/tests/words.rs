//! The words of the vocabulary keep their names, and a set of moves behaves like a set.

use std::collections::BTreeSet;

use crate::ticket::{
    Area, BusinessType, Category, Channel, Grade, Move, MoveSet, Satisfaction, Stage, Tier, Urgency,
    path::{self, FirstStop},
    vocabulary::{CATEGORY_BYTES_MAX, NotACategory},
};

#[test]
fn every_word_is_found_again_by_its_name() {
    macro_rules! found_again {
        ($($list:ident)+) => { $(
            for &word in $list::ALL {
                assert_eq!($list::parse(word.as_str()), Some(word));
            }
            assert_eq!($list::parse("nonsense"), None);
        )+ };
    }
    found_again!(BusinessType Channel Urgency Grade Area Tier Satisfaction);
}

#[test]
fn no_two_moves_and_no_two_stages_share_a_name() {
    assert_eq!(Move::ALL.iter().map(|m| m.as_str()).collect::<BTreeSet<_>>().len(), Move::ALL.len());
    assert_eq!(Stage::ALL.iter().map(|s| s.as_str()).collect::<BTreeSet<_>>().len(), Stage::ALL.len());
}

#[test]
fn a_category_is_a_path_of_any_sensible_depth() {
    for sound in ["opinion/other", "fault/low voltage/single house/other cause", "a/b/c/d/e/f/g/h"] {
        assert_eq!(Category::parse(sound).map(|category| category.as_str().to_owned()), Ok(sound.to_owned()));
    }
    for bad in ["", "/", "a//b", "a/ /b", "a/b/", "a/b/c/d/e/f/g/h/i", "a\nb"] {
        assert_eq!(Category::parse(bad), Err(NotACategory), "{bad:?}");
    }
    assert_eq!(Category::parse(&"x".repeat(CATEGORY_BYTES_MAX + 1)), Err(NotACategory));
}

#[test]
fn a_set_of_moves_holds_what_was_put_in_and_lists_it_in_the_order_of_the_work() {
    let set = MoveSet::of(&[Move::Close, Move::Accept, Move::Reveal]).without(&[Move::Reveal]);
    assert_eq!(set.iter().collect::<Vec<_>>(), [Move::Accept, Move::Close]);
    assert_eq!(set.with_if(false, Move::Reply), set);
    assert!(set.union(MoveSet::of(&[Move::Reply])).contains(Move::Reply));
    assert_eq!(MoveSet::of(Move::ALL).iter().count(), Move::ALL.len());
    assert_eq!(format!("{set:?}"), r#"["accept", "close"]"#);
}

#[test]
fn only_the_last_three_outcomes_of_a_revisit_are_no_evaluation_and_two_of_them_are_no_end() {
    let open: Vec<_> = Satisfaction::ALL.iter().filter(|outcome| !outcome.is_final()).collect();
    assert_eq!(open, [&Satisfaction::NoAnswer, &Satisfaction::Unreachable]);
}

#[test]
fn each_business_type_has_the_path_that_the_trade_gives_it() {
    // Business type, first stop, then one letter per property: closed at (f)irst contact, not (r)evisited, (g)raded,
    // field (w)ork, (m)ergeable, (e)scalates, (c)onfidential, (l)inked.
    let table = [
        (BusinessType::InformationQuery, FirstStop::Nowhere, "fr"),
        (BusinessType::Consultation, FirstStop::Province, "f"),
        (BusinessType::FaultRepair, FirstStop::CityOrBelow, "fwm"),
        (BusinessType::Complaint, FirstStop::Province, "g"),
        (BusinessType::Report, FirstStop::Province, "c"),
        (BusinessType::Opinion, FirstStop::Province, "e"),
        (BusinessType::Suggestion, FirstStop::Province, ""),
        (BusinessType::Praise, FirstStop::Province, "r"),
        (BusinessType::ServiceApplication, FirstStop::ProvinceOrCity, "w"),
        (BusinessType::Urge, FirstStop::Anywhere, "frl"),
    ];
    assert_eq!(table.map(|(business, ..)| business), BusinessType::ALL);
    for (business, stop, marks) in table {
        let path = path::of(business);
        let found: String = [
            (path.first_contact, 'f'),
            (!path.revisited, 'r'),
            (path.graded, 'g'),
            (path.field_work, 'w'),
            (path.mergeable, 'm'),
            (path.escalates_to_complaint, 'e'),
            (path.always_confidential, 'c'),
            (path.linked, 'l'),
        ]
        .into_iter()
        .filter_map(|(holds, mark)| holds.then_some(mark))
        .collect();
        assert_eq!((path.dispatch, found.as_str()), (stop, marks), "{business:?}");
    }
}
