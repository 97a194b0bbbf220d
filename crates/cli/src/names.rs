//! Conversion of the API's names to the spelling of its enums.

/// Converts `CrewProgress` to `CREW_PROGRESS`.
pub fn screaming(name: &str) -> String {
    let mut text = String::new();
    for (i, c) in name.char_indices() {
        if c.is_ascii_uppercase() && i > 0 && !text.ends_with('_') {
            text.push('_');
        }
        text.push(c.to_ascii_uppercase());
    }
    text
}
