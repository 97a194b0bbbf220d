//! Tests of tables with a given width.

use super::*;

fn widest(text: &str) -> usize {
    text.lines().map(columns).max().unwrap()
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(ToString::to_string).collect()
}

#[test]
fn a_table_is_never_wider_than_it_may_be_and_names_what_it_left_out() {
    let headings = ["occurred_at", "kind", "actor.role", "actor.org", "data"];
    let data = format!("{{\"text\":\"{}\"}}", "x".repeat(200));
    let crew = "sgcc/zj/hz/linan/taihuyuan/crew-1";
    let rows = [row(&["2026-03-03 10:13:37", "ticket.offer_accepted.v1", "crew", crew, &data])];
    for frame in [Frame::Border, Frame::Indented] {
        let (text, left_out) = drawn(frame, &headings, &rows, Some(100));
        assert!(widest(&text) <= 100 && text.contains(crew), "{text}");
        assert_eq!(left_out, ["data"]);
        let (text, left_out) = drawn(frame, &headings, &rows, None);
        assert!(text.contains(&data) && left_out.is_empty());
        let (text, left_out) = drawn(frame, &headings, &rows, Some(66));
        assert!(widest(&text) <= 66 && text.contains("2026-03-03 10:13:37"), "{text}");
        assert_eq!(left_out, ["actor.org", "data"]);
    }
}

#[test]
fn a_chinese_character_takes_two_columns() {
    let rows = [row(&["1", &"低压故障".repeat(20)]), row(&["2", "on"])];
    let (text, _) = drawn(Frame::Border, &["n", "category"], &rows, Some(60));
    assert!(text.lines().all(|line| columns(line) == widest(&text)) && widest(&text) <= 60, "{text}");
    assert_eq!(text.matches('低').count(), 20, "nothing is cut: {text}");
}

#[test]
fn long_sentences_are_broken_between_words() {
    let rows = [row(&["rate", &"revisits that reached the customer ".repeat(4)])];
    let (text, left_out) = drawn(Frame::Border, &["name", "title"], &rows, Some(60));
    assert!(widest(&text) <= 60 && left_out.is_empty());
    assert_eq!(text.matches("customer").count(), 4, "{text}");
}
