//! Suggestions for an unknown word: all known words if they are few, otherwise the most similar ones.

/// A list of at most this many words is shown completely.
const LISTED_MAX: usize = 14;
/// The most suggestions from a longer list.
const NEAR_MAX: usize = 3;
/// The most characters quoted from a text.
const QUOTED_CHARS_MAX: usize = 40;

/// A text for quoting: on one line, and shortened if it is long.
pub(crate) fn quoted(text: &str) -> String {
    if text.chars().count() > QUOTED_CHARS_MAX {
        let begin: String = text.chars().take(QUOTED_CHARS_MAX).collect();
        return format!("{begin:?}...");
    }
    format!("{text:?}")
}

/// The suggestions for `word`.
pub(super) fn known(word: &str, all: &[&str]) -> String {
    if all.is_empty() {
        return "there is none here".to_owned();
    }
    if all.len() <= LISTED_MAX {
        return format!("known are {}", all.join(", "));
    }
    let word: String = word.chars().take(QUOTED_CHARS_MAX).collect();
    let alike = |known: &str| !word.is_empty() && (known.contains(&word) || word.contains(known));
    let mut ranked: Vec<&str> = all.to_vec();
    ranked.sort_by_cached_key(|known| (!alike(known), distance(&word, known)));
    ranked.truncate(NEAR_MAX);
    format!("near it are {}", ranked.join(", "))
}

/// The Levenshtein distance, in characters.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, a) in one.chars().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (index, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[index + 1];
            row[index + 1] = changed.min(diagonal + 1).min(row[index] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_of_two_words_is_the_least_number_of_changes() {
        for (one, other, changes) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("replied", "repleid", 2)]
        {
            assert_eq!((distance(one, other), distance(other, one)), (changes, changes), "{one} {other}");
        }
    }

    #[test]
    fn few_words_are_all_told_and_of_many_the_nearest() {
        assert_eq!(known("x", &[]), "there is none here");
        assert_eq!(known("x", &["zh", "en"]), "known are zh, en");
        let many: Vec<String> = (0..20).map(|i| format!("word{i}")).chain(["crew_arrived".into()]).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(known("arrived", &many), "near it are crew_arrived, word0, word1");
        assert_eq!(known("wrd7", &many), "near it are word7, word0, word1");
    }

    #[test]
    fn a_long_text_is_quoted_in_part() {
        assert_eq!(quoted("a\nb"), r#""a\nb""#);
        assert_eq!(quoted(&"\u{5230}".repeat(41)), format!("\"{}\"...", "\u{5230}".repeat(40)));
    }
}
