//! Fingerprints of source code: what is kept in a file names the code that made it by one, and is made again by other
//! code. Nobody has to remember a version number, and a mere change of layout costs one rebuild.

/// A source file: its path from the file that names it, and its text.
pub type Source = (&'static str, &'static str);

/// Source files by their paths from the file that names them, each with its text: a `[Source; N]`.
#[macro_export]
macro_rules! sources {
    ($($path:literal),+ $(,)?) => {
        [$(($path, include_str!($path))),+]
    };
}

const BASIS: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a over all parts: stable over processes and releases, and no protection against anybody.
#[must_use]
pub const fn fingerprint(parts: &[&str]) -> u64 {
    let mut hash = BASIS;
    let mut part = 0;
    while part < parts.len() {
        hash = with(hash, parts[part]);
        part += 1;
    }
    hash
}

/// The same over the texts of source files.
#[must_use]
pub const fn of_sources(sources: &[Source]) -> u64 {
    let mut hash = BASIS;
    let mut source = 0;
    while source < sources.len() {
        hash = with(hash, sources[source].1);
        source += 1;
    }
    hash
}

const fn with(mut hash: u64, part: &str) -> u64 {
    let bytes = part.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    // A byte that no text holds, so that ["ab"] and ["a", "b"] differ.
    (hash ^ 0xff).wrapping_mul(0x0100_0000_01b3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_and_every_border_between_parts_counts() {
        let parts: [&[&str]; 5] = [&["ab"], &["ab", ""], &["a", "b"], &["b", "a"], &["a", "c"]];
        let all = parts.map(fingerprint);
        for (n, one) in all.iter().enumerate() {
            assert!(!all[..n].contains(one), "{n}");
        }
        assert_eq!(of_sources(&[("x.rs", "a"), ("y.rs", "b")]), fingerprint(&["a", "b"]), "paths do not count");
    }
}
