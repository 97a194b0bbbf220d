//! Territory: a crew serves the tickets of its units, and only those whose holder contains the crew.

use switchboard_domain::organisation::OrgPath;

use crate::scene::Pairing;

/// The rule's stable name.
pub const NAME: &str = "territory";

/// True when the crew does not serve the ticket's unit and no person chose it.
#[must_use]
pub fn bars(pairing: &Pairing<'_>) -> bool {
    !pairing.is_forced() && !pairing.serves
}

/// True when a crew with this path and territory cannot get a ticket of `holder`. The ticket itself rejects an offer to
/// a crew outside its holder.
#[must_use]
pub fn forbids(crew: &OrgPath, territory: &[OrgPath], holder: &OrgPath) -> bool {
    let works_there = territory.iter().any(|unit| unit.contains(holder) || holder.contains(unit));
    !(works_there && holder.contains(crew))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(text: &str) -> OrgPath {
        OrgPath::parse(text).unwrap()
    }

    #[test]
    fn a_crew_works_for_the_units_above_it_and_within_its_territory() {
        let crew = unit("sgcc/zj/hz/yuhang/liangzhu/crew3");
        let station = [unit("sgcc/zj/hz/yuhang/liangzhu")];
        assert!(!forbids(&crew, &station, &unit("sgcc/zj/hz/yuhang/liangzhu")));
        assert!(!forbids(&crew, &station, &unit("sgcc/zj/hz/yuhang")), "a county may send the crews of its stations");
        assert!(forbids(&crew, &station, &unit("sgcc/zj/hz/yuhang/pingyao")));
        assert!(forbids(&crew, &[unit("sgcc/zj/hz/xihu")], &unit("sgcc/zj/hz/yuhang/liangzhu")));
        assert!(forbids(&crew, &[unit("sgcc/zj/hz")], &unit("sgcc/zj/hz/xihu")), "the holder does not answer for it");
    }
}
