//! Fingerprints of source code. A stored file that can be rebuilt names the code that made it by a fingerprint; other
//! code rebuilds the file. So no version number has to be maintained. A change of comments or layout costs one rebuild.

/// A source file: its path from the file that names it, and its text.
pub type Source = (&'static str, &'static str);

/// The source files at these paths, relative to the file that names them, each with its text. The result is a `[Source;
/// N]`.
#[macro_export]
macro_rules! sources {
    ($($path:literal),+ $(,)?) => {
        [$(($path, include_str!($path))),+]
    };
}

const BASIS: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a over all parts. It is the same in every process and release. It is not cryptographic.
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

/// The fingerprint of the texts of source files. Their paths do not count.
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
    // No UTF-8 text contains the byte 0xff, so `["ab"]` and `["a", "b"]` differ.
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
