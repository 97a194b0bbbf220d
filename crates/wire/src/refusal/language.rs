//! The languages of sentences for people: Chinese and English.

/// A language for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// Simplified Chinese; the default.
    #[default]
    Zh,
    /// English, when the caller prefers it to Chinese.
    En,
}

impl Language {
    /// The preferred language of an `accept-language` header, by weight and then by order; Chinese when it names
    /// neither language.
    #[must_use]
    pub fn from_accept_language(header: &str) -> Self {
        let mut best = (0.0_f32, Self::default());
        for entry in header.split(',') {
            let (tag, parameter) = entry.split_once(';').unwrap_or((entry, "q=1"));
            let weight = parameter.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok()).unwrap_or(0.0);
            if let Some(language) = Self::of_tag(tag.trim())
                && weight > best.0
            {
                best = (weight, language);
            }
        }
        best.1
    }

    fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag);
        if primary.eq_ignore_ascii_case("zh") {
            Some(Self::Zh)
        } else if primary.eq_ignore_ascii_case("en") {
            Some(Self::En)
        } else {
            None
        }
    }

    /// The language tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_by_weight_then_order_and_chinese_is_the_default() {
        for (header, language) in [
            ("", Language::Zh),
            ("fr, *;q=0.5", Language::Zh),
            ("en", Language::En),
            ("EN-us", Language::En),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Zh),
            ("zh;q=0.3, en; q=0.8", Language::En),
            ("en, zh", Language::En),
            ("fr, en;q=0.2", Language::En),
            ("en;q=0", Language::Zh),
            ("en;q=nonsense", Language::Zh),
        ] {
            assert_eq!(Language::from_accept_language(header), language, "{header}");
        }
    }
}
