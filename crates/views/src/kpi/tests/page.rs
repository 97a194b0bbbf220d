//! The published page `docs/kpis.md`: its tables agree with the catalogue for every indicator.

use super::*;
use crate::kpi::measure::clocks;

const PAGE: &str = include_str!("../../../../../docs/kpis.md");

/// The lines of the page that begin with an indicator's name.
fn lines() -> Vec<&'static str> {
    PAGE.lines().filter(|line| line.starts_with("| `")).collect()
}

/// An indicator as a row of its table.
fn line(kpi: &Kpi) -> String {
    let english = |text: Text| if text.en.is_empty() { "-" } else { text.en };
    let title = format!("`{}` {}, {}; {}", kpi.name, kpi.title.zh, kpi.title.en, kpi.unit.as_str());
    let mut cells = vec![title, english(kpi.numerator).into(), english(kpi.denominator).into()];
    match kpi.missing() {
        None => cells.extend([
            english(kpi.period).into(),
            kpi.exclusions_told(Language::English),
            english(kpi.attribution).into(),
            english(kpi.source).into(),
        ]),
        Some(why) => cells.extend([english(kpi.source).into(), english(why).into()]),
    }
    format!("| {} |", cells.join(" | "))
}

#[test]
fn the_page_tells_every_indicator_as_it_is_defined_and_no_other() {
    let (answered, missing): (Vec<&Kpi>, Vec<&Kpi>) = definitions().iter().partition(|kpi| kpi.available());
    let wanted: Vec<String> = answered.into_iter().chain(missing).map(line).collect();
    let found: Vec<&str> = lines().into_iter().filter(|line| line.matches(" | ").count() > 1).collect();
    for line in &wanted {
        assert!(found.contains(&line.as_str()), "docs/kpis.md lacks this line:\n{line}");
    }
    assert_eq!(found, wanted, "docs/kpis.md has a line that no definition has, or another order");
}

#[test]
fn the_page_names_the_clocks_that_each_indicator_counts() {
    let overdue = clocks::OVERDUE.concat();
    for (name, counted) in [
        ("`dispatch_on_time_rate`", clocks::DISPATCH),
        ("`accept_on_time_rate`", clocks::ACCEPT),
        ("`contact_on_time_rate`", clocks::CONTACT),
        ("`arrival_on_time_rate`", clocks::ARRIVAL),
        ("`reply_on_time_rate`", clocks::REPLY),
        ("`overdue_rate`, `overdue_tickets`", &overdue),
    ] {
        let counted: Vec<String> = counted.iter().map(|clock| format!("`{clock}`")).collect();
        let wanted = format!("| {name} | {} |", counted.join(", "));
        assert!(lines().contains(&wanted.as_str()), "docs/kpis.md lacks this line:\n{wanted}");
    }
}
