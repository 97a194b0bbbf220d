//! The texts of `kpi kept` in both languages. Absent: logic.

/// The texts of one language. In a sentence `{0}` stands for the first inserted word, `{1}` for the second.
pub struct Words {
    pub clocks: [&'static str; 4],
    pub broken: [&'static str; 5],
    pub all: &'static str,
    pub nothing: &'static str,
    pub not_met: &'static str,
    /// `{0}`: the duration; `{1}` and `{2}`: the facts before and after it.
    pub longest: &'static str,
    /// `{0}`: the excluded clocks.
    pub not_counted: &'static str,
    /// `{0}`: the number of promises; `{1}`: the number of tickets.
    pub few: &'static str,
    /// As `few`; `{2}`: the number of tickets shown.
    pub many: &'static str,
    /// `{0}`: a clock; `{1}`: the number of other clocks of the same ticket.
    pub others: &'static str,
    /// The reason why clocks are excluded for a day that was entered afterwards.
    pub entered_later: &'static str,
}

pub const ENGLISH: Words = Words {
    clocks: ["clock", "kept", "broken", "share kept"],
    broken: ["ticket", "clock", "limit", "late by", "who answers for it, and where the time went"],
    all: "all",
    nothing: "No promise of the period has ended.",
    not_met: "not met yet",
    longest: "{0} from {1} to {2}",
    not_counted: "Not counted: {0}.",
    few: "{0} promises of {1} tickets were broken; of each ticket the latest:",
    many: "{0} promises of {1} tickets were broken; of the {2} latest tickets:",
    others: "{0} (and {1})",
    entered_later: "These clocks ask how soon a step is recorded, and this day was entered when it was over.",
};

pub const CHINESE: Words = Words {
    clocks: ["时钟", "兑现", "未兑现", "兑现率"],
    broken: ["工单", "时钟", "时限", "逾期", "责任单位，以及耗时最长的环节"],
    all: "合计",
    nothing: "此期间没有已了结的承诺。",
    not_met: "尚未了结",
    longest: "{1} 至 {2}：{0}",
    not_counted: "未统计：{0}。",
    few: "{1} 张工单的 {0} 项承诺未兑现；每张工单列出逾期最久的一项：",
    many: "{1} 张工单的 {0} 项承诺未兑现；列出逾期最久的 {2} 张工单：",
    others: "{0}（另有 {1} 项）",
    entered_later: "这些时钟考核一个步骤多快录入，而这一天是事后录入的。",
};

/// Fills the blanks of a sentence.
pub fn filled(sentence: &str, with: &[&str]) -> String {
    let fill = |text: String, (nth, word): (usize, &&str)| text.replace(&format!("{{{nth}}}"), word);
    with.iter().enumerate().fold(sentence.to_owned(), fill)
}
