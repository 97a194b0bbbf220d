//! Personal data: readable only with the key of its ticket, masked everywhere else. The cryptography is in `wire`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// A name, a phone number, an address or free text about a person: personal information in the sense of the Personal
/// Information Protection Law (PIPL, 个人信息保护法).
///
/// `Debug` prints the masked form. Only a sealed or erased value can be serialised.
#[derive(Clone, PartialEq, Eq)]
pub enum Personal {
    /// Plain text.
    Plain(String),
    /// Ciphertext in the form that `wire` defines.
    Sealed(String),
    /// The key was deleted, so nobody can read the text again (PIPL Art. 47). This is a value, not an error.
    Erased,
}

impl Personal {
    /// The plain text, if this value has one.
    #[must_use]
    pub fn plain(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Sealed(_) | Self::Erased => None,
        }
    }

    /// The length of the plain text in bytes; 0 for a sealed or erased value.
    #[must_use]
    pub fn len(&self) -> usize {
        self.plain().map_or(0, str::len)
    }

    /// True for a plain text that is blank. A sealed or erased value is not empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Plain(text) if text.trim().is_empty())
    }

    /// The masked form: `138****5678` for digits, the first character for other text. Agent screens of SGCC mask phones
    /// this way (mark S).
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::Plain(text) => mask(text),
            Self::Sealed(_) => "[sealed]".into(),
            Self::Erased => "[erased]".into(),
        }
    }
}

/// Masks a text. A number of eight or more digits keeps its first three and last four; other text keeps its first
/// character.
fn mask(text: &str) -> String {
    let text = text.trim();
    let digits = text.bytes().all(|b| b.is_ascii_digit() || b == b'+' || b == b'-');
    if digits && text.len() >= 8 {
        format!("{}****{}", &text[..3], &text[text.len() - 4..])
    } else {
        text.chars().next().map_or_else(String::new, |first| format!("{first}***"))
    }
}

impl From<&str> for Personal {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}

impl From<String> for Personal {
    fn from(text: String) -> Self {
        Self::Plain(text)
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Personal({})", self.masked())
    }
}

/// Stored form: `{"sealed": "..."}`, or `{"erased": true}`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stored {
    Sealed(String),
    Erased(bool),
}

impl Serialize for Personal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(_) => Err(ser::Error::custom("personal data must be sealed before it is stored")),
            Self::Sealed(text) => Stored::Sealed(text.clone()).serialize(serializer),
            Self::Erased => Stored::Erased(true).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Personal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Stored::deserialize(deserializer)? {
            Stored::Sealed(text) if text.is_empty() => Err(de::Error::custom("an empty seal")),
            Stored::Sealed(text) => Ok(Self::Sealed(text)),
            Stored::Erased(_) => Ok(Self::Erased),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_keeps_its_ends_and_a_name_its_first_character() {
        assert_eq!(Personal::from("13812345678").masked(), "138****5678");
        assert_eq!(Personal::from("\u{5f20}\u{4e09}").masked(), "\u{5f20}***");
        assert_eq!(format!("{:?}", Personal::from("13812345678")), "Personal(138****5678)");
    }

    #[test]
    fn what_anybody_could_read_cannot_be_stored() {
        assert!(serde_json::to_string(&Personal::from("13812345678")).is_err());
        for stored in [Personal::Sealed("c2VhbA".into()), Personal::Erased] {
            let json = serde_json::to_string(&stored).unwrap();
            assert_eq!(serde_json::from_str::<Personal>(&json).unwrap(), stored, "{json}");
        }
        assert!(serde_json::from_str::<Personal>(r#"{"sealed":""}"#).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_not_empty_but_has_no_length() {
        for hidden in [Personal::Sealed("c2VhbA".into()), Personal::Erased] {
            assert_eq!((hidden.plain(), hidden.len(), hidden.is_empty()), (None, 0, false));
        }
        assert!(Personal::from(" ").is_empty());
    }
}
