//! Units: the operator, its provinces, cities, counties, stations and crews, each named by its path. This module has no
//! list of units; the operator's data decides which exist.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of levels, from the national centre down to a crew. Source: the SGCC organisation (国网客服中心, 省公司, 地市公司,
/// 县公司, 供电所, 班组).
pub const LEVELS: usize = 6;
/// The longest path, in bytes.
pub const ORG_BYTES_MAX: usize = 160;

/// A level of the organisation (组织层级).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// National centre (国网客服中心).
    Nation,
    /// Province (省公司).
    Province,
    /// City (地市公司).
    City,
    /// County (县公司).
    County,
    /// Supply station (供电所).
    Station,
    /// Crew (班组).
    Crew,
}

impl Level {
    /// All levels, from the top.
    pub const ALL: [Self; LEVELS] = [Self::Nation, Self::Province, Self::City, Self::County, Self::Station, Self::Crew];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nation => "nation",
            Self::Province => "province",
            Self::City => "city",
            Self::County => "county",
            Self::Station => "station",
            Self::Crew => "crew",
        }
    }

    /// The level with this name; `None` for an unknown name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == name)
    }
}

/// The path of a unit (供电单位): `sgcc/zj/hz/yuhang/liangzhu/crew3`. The first segment is the operator; the number of
/// segments gives the level.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrgPath(String);

/// The text is not an organisation path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnOrgPath;

impl fmt::Display for NotAnOrgPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(OrgPath::FORM)
    }
}

impl OrgPath {
    /// The expected form, for error messages.
    pub const FORM: &'static str =
        "1 to 6 segments of a-z, 0-9, '_' or '-' joined by '/', operator first, at most 160 bytes";

    /// Parses a path.
    ///
    /// # Errors
    /// [`NotAnOrgPath`] unless the text has the form that [`Self::FORM`] describes.
    pub fn parse(text: &str) -> Result<Self, NotAnOrgPath> {
        let segment = |s: &str| {
            !s.is_empty() && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
        };
        let sound = text.len() <= ORG_BYTES_MAX && text.split('/').count() <= LEVELS && text.split('/').all(segment);
        if sound { Ok(Self(text.to_owned())) } else { Err(NotAnOrgPath) }
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The unit's level: the number of segments.
    #[must_use]
    pub fn level(&self) -> Level {
        let depth = self.0.bytes().filter(|&b| b == b'/').count();
        Level::ALL[depth.min(LEVELS - 1)]
    }

    /// The unit of `level` on this path; `None` when this unit is above that level.
    #[must_use]
    pub fn at_level(&self, level: Level) -> Option<Self> {
        let depth = Level::ALL.iter().position(|known| *known == level)? + 1;
        let mut segments = self.0.split('/');
        let path: Vec<&str> = segments.by_ref().take(depth).collect();
        (path.len() == depth).then(|| Self(path.join("/")))
    }

    /// True when `other` is this unit or lies below it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for OrgPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for OrgPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for OrgPath {
    type Error = NotAnOrgPath;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<OrgPath> for String {
    fn from(path: OrgPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_knows_its_level_and_what_lies_within_it() {
        let city = OrgPath::parse("sgcc/zj/hz").unwrap();
        assert_eq!(city.level(), Level::City);
        assert!(city.contains(&OrgPath::parse("sgcc/zj/hz/yuhang").unwrap()));
        assert!(
            !city.contains(&OrgPath::parse("sgcc/zj/hzx").unwrap()),
            "a prefix of the text is not a part of the unit"
        );
        assert_eq!(city.at_level(Level::Province).unwrap().as_str(), "sgcc/zj");
        assert_eq!(city.at_level(Level::City).as_ref(), Some(&city));
        assert_eq!(city.at_level(Level::Crew), None, "a city is in no crew");
        for bad in ["", "/", "sgcc//zj", "SGCC", "a/b/c/d/e/f/g", "sgcc/\u{6d59}"] {
            assert_eq!(OrgPath::parse(bad), Err(NotAnOrgPath), "{bad}");
        }
    }
}
