//! The sentences about promises in both languages; `promises` decides their contents.

use chrono::{NaiveDate, TimeDelta, Timelike};
use switchboard_domain::{
    Timestamp,
    organisation::OrgPath,
    sla::{
        Basis, china_time,
        clock_history::{FactName, Word},
        policy::Limit,
    },
};

use super::{Outcome, Statement};
use crate::advice::Language;

pub(super) fn sentence(statement: &Statement<'_>, language: Language) -> String {
    match language {
        Language::Chinese => chinese(statement),
        Language::English => english(statement),
    }
}

/// Formats instants in sequence: the date only if it differs from the previous one, seconds only if they are not 0.
#[derive(Default)]
struct InstantFormatter {
    date: Option<NaiveDate>,
}

impl InstantFormatter {
    fn format(&mut self, at: Timestamp) -> String {
        let at = china_time(at);
        let (hour, minute, second) = (at.hour(), at.minute(), at.second());
        let time = match second {
            0 => format!("{hour:02}:{minute:02}"),
            second => format!("{hour:02}:{minute:02}:{second:02}"),
        };
        match self.date.replace(at.date()) {
            Some(previous) if previous == at.date() => time,
            _ => format!("{} {time}", at.date()),
        }
    }
}

fn english(statement: &Statement<'_>) -> String {
    let natural = if statement.limit.basis() == Basis::Elapsed { "" } else { " of natural time" };
    let margin = |span: TimeDelta| format!("{}{natural}", span_english(span));
    let by = |fact: Option<FactName>| fact.map_or_else(String::new, |fact| format!(" ({})", fact_english(fact)));
    let answers = |unit: Option<&OrgPath>| unit.map_or_else(String::new, |unit| format!("; {unit} answers for it"));
    let mut instants = InstantFormatter::default();
    let mut clauses = vec![format!("started {}", instants.format(statement.started))];
    if !statement.waited.is_zero() {
        clauses.push(format!("waited {}", span_english(statement.waited)));
    }
    if let Some(due) = statement.due {
        let granted = if statement.extended { " (extended)" } else { "" };
        clauses.push(format!("due {}{granted}", instants.format(due)));
    }
    clauses.push(match statement.outcome {
        Outcome::Running { left: Some(left) } => format!("running with {} left", margin(left)),
        Outcome::Running { left: None } => "running".into(),
        Outcome::Paused { since, why } => {
            let why = why.map_or_else(String::new, |why| format!(" ({})", word_english(why)));
            format!("waiting since {}{why}", instants.format(since))
        }
        Outcome::Kept { at, by: fact, spare } => {
            let spare = spare.map(|spare| format!(" with {} to spare", margin(spare)));
            format!("met {}{}: kept{}", instants.format(at), by(fact), spare.as_deref().unwrap_or(" while it waited"))
        }
        Outcome::Cancelled { at, by: fact } => format!("ended {}{}: cancelled", instants.format(at), by(fact)),
        Outcome::Late { at, by: fact, over, owner } => {
            format!("met {}{}: breached by {}{}", instants.format(at), by(fact), margin(over), answers(owner))
        }
        Outcome::Dropped { at, by: fact, over, owner } => {
            let at = instants.format(at);
            format!("ended {at} unmet{}: breached by {}{}", by(fact), margin(over), answers(owner))
        }
        Outcome::Missing { over, owner } => {
            format!("not met yet: breached by {} so far{}", margin(over), answers(owner))
        }
    });
    if !statement.years.is_empty() {
        let years: Vec<String> = statement.years.iter().map(i32::to_string).collect();
        clauses.push(format!("counting Monday to Friday for want of a calendar of {}", years.join(" and ")));
    }
    let (title, limit) = (&statement.title.en, limit_english(statement.limit));
    format!("{title}, promised within {limit}: {}.", clauses.join(", "))
}

fn chinese(statement: &Statement<'_>) -> String {
    let natural = if statement.limit.basis() == Basis::Elapsed { "" } else { "自然时间" };
    let margin = |span: TimeDelta| format!("{natural}{}", span_chinese(span));
    let by = |fact: Option<FactName>| fact.map_or("", fact_chinese);
    let answers = |unit: Option<&OrgPath>| unit.map_or_else(String::new, |unit| format!("，责任单位{unit}"));
    let mut instants = InstantFormatter::default();
    let mut clauses = vec![format!("{}开始", instants.format(statement.started))];
    if !statement.waited.is_zero() {
        clauses.push(format!("等待{}", span_chinese(statement.waited)));
    }
    if let Some(due) = statement.due {
        let granted = if statement.extended { "（已延期）" } else { "" };
        clauses.push(format!("应于{}前完成{granted}", instants.format(due)));
    }
    clauses.push(match statement.outcome {
        Outcome::Running { left: Some(left) } => format!("进行中，剩余{}", margin(left)),
        Outcome::Running { left: None } => "进行中".into(),
        Outcome::Paused { since, why } => {
            let why = why.map_or_else(String::new, |why| format!("（{}）", word_chinese(why)));
            format!("自{}起暂停{why}", instants.format(since))
        }
        Outcome::Kept { at, by: fact, spare: Some(spare) } => {
            format!("{}{}，按时，剩余{}", instants.format(at), by(fact), margin(spare))
        }
        Outcome::Kept { at, by: fact, spare: None } => {
            format!("{}{}，暂停期间完成，按时", instants.format(at), by(fact))
        }
        Outcome::Cancelled { at, by: fact } => format!("{}{}，计时取消", instants.format(at), by(fact)),
        Outcome::Late { at, by: fact, over, owner } => {
            format!("{}{}，超时{}{}", instants.format(at), by(fact), margin(over), answers(owner))
        }
        Outcome::Dropped { at, by: fact, over, owner } => {
            format!("{}{}，未完成，超时{}{}", instants.format(at), by(fact), margin(over), answers(owner))
        }
        Outcome::Missing { over, owner } => format!("尚未完成，已超时{}{}", margin(over), answers(owner)),
    });
    if !statement.years.is_empty() {
        let years: Vec<String> = statement.years.iter().map(i32::to_string).collect();
        clauses.push(format!("{}年无日历，按周一至周五计", years.join("、")));
    }
    let (title, limit) = (&statement.title.zh, limit_chinese(statement.limit));
    format!("{title}，承诺{limit}：{}。", clauses.join("，"))
}

/// The names of days, hours, minutes and seconds, the separator, and the text for less than a second.
struct Units([&'static str; 4], &'static str, &'static str);

const ENGLISH: Units = Units([" d", " h", " min", " s"], " ", "less than 1 s");
const CHINESE: Units = Units(["天", "小时", "分钟", "秒"], "", "不足1秒");

/// A duration in its two largest units, rounded down.
fn span(span: TimeDelta, Units(names, gap, least): &Units) -> String {
    let seconds = span.num_seconds();
    if seconds == 0 && span > TimeDelta::zero() {
        return (*least).to_owned();
    }
    let parts = [seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60];
    let first = parts.iter().position(|part| *part > 0).unwrap_or(parts.len() - 1);
    let largest = parts.iter().zip(names).skip(first).take(2);
    let largest = largest.enumerate().filter(|(index, (part, _))| *index == 0 || **part > 0);
    largest.map(|(_, (part, name))| format!("{part}{name}")).collect::<Vec<_>>().join(gap)
}

fn span_english(length: TimeDelta) -> String {
    span(length, &ENGLISH)
}

fn span_chinese(length: TimeDelta) -> String {
    span(length, &CHINESE)
}

pub(super) fn limit_english(limit: Limit) -> String {
    match limit {
        Limit::Elapsed { seconds } => exact(seconds, &ENGLISH),
        Limit::WorkingDays { days: 1 } => "1 working day".into(),
        Limit::WorkingDays { days } => format!("{days} working days"),
        Limit::WorkingTime { seconds } => format!("{} of working time", exact(seconds, &ENGLISH)),
    }
}

pub(super) fn limit_chinese(limit: Limit) -> String {
    match limit {
        Limit::Elapsed { seconds } => exact(seconds, &CHINESE),
        Limit::WorkingDays { days } => format!("{days}个工作日"),
        Limit::WorkingTime { seconds } => format!("{}工作时间", exact(seconds, &CHINESE)),
    }
}

/// A limit in the largest unit that divides it; hours for one or two days.
fn exact(seconds: i64, Units(names, ..): &Units) -> String {
    let units = [(86_400, 3), (3_600, 1), (60, 1), (1, 0)].into_iter().zip(names);
    let mut fitting = units.filter(|((unit, least), _)| seconds % unit == 0 && seconds / unit >= *least);
    let ((unit, _), name) = fitting.next().unwrap_or(((1, 0), &names[3]));
    format!("{}{name}", seconds / unit)
}

pub(super) fn word_english(word: Word) -> &'static str {
    match word {
        Word::Reached => "the customer was reached",
        Word::Unreachable => "the customer cannot be reached",
        Word::Customer => "for the customer",
        Word::Works => "for planned works",
        Word::ThirdParty => "for a third party",
        Word::Weather => "for safe weather",
        Word::WrongArea => "wrong area",
        Word::WrongUnit => "wrong unit",
        Word::WrongType => "wrong business type",
        Word::Incomplete => "content incomplete",
        Word::Resolved => "solved",
        Word::NotOurs => "not the supplier's",
        Word::Explained => "explained",
        Word::Last => "last audit passed",
        Word::More => "another audit to come",
        Word::VerySatisfied => "very satisfied",
        Word::Satisfied => "satisfied",
        Word::Neutral => "neutral",
        Word::Dissatisfied => "dissatisfied",
        Word::NoAnswer => "no answer",
        Word::Refused => "declined",
        Word::Complaint => "became a complaint",
        Word::Grade => "graded higher",
        Word::Urgent => "became urgent",
    }
}

pub(super) fn word_chinese(word: Word) -> &'static str {
    match word {
        Word::Reached => "已联系到客户",
        Word::Unreachable => "联系不上客户",
        Word::Customer => "等待客户配合",
        Word::Works => "等待计划施工",
        Word::ThirdParty => "等待第三方",
        Word::Weather => "天气原因",
        Word::WrongArea => "非本单位区域",
        Word::WrongUnit => "派发单位有误",
        Word::WrongType => "业务类型有误",
        Word::Incomplete => "内容不完整",
        Word::Resolved => "已解决",
        Word::NotOurs => "非供电企业产权",
        Word::Explained => "已解释",
        Word::Last => "终审通过",
        Word::More => "待上级审核",
        Word::VerySatisfied => "非常满意",
        Word::Satisfied => "满意",
        Word::Neutral => "一般",
        Word::Dissatisfied => "不满意",
        Word::NoAnswer => "未答复",
        Word::Refused => "拒绝回访",
        Word::Complaint => "升级为投诉",
        Word::Grade => "提高等级",
        Word::Urgent => "转为紧急",
    }
}

pub(super) fn fact_english(fact: FactName) -> &'static str {
    match fact {
        FactName::Received => "received",
        FactName::Classified => "classified",
        FactName::ClosedAtFirstContact => "closed at first contact",
        FactName::Dispatched => "dispatched",
        FactName::Accepted => "accepted",
        FactName::Returned => "returned",
        FactName::Reassigned => "reassigned",
        FactName::CrewAccepted => "accepted by the crew",
        FactName::CrewEnRoute => "crew under way",
        FactName::CrewArrived => "arrived on site",
        FactName::CrewDiagnosed => "cause found",
        FactName::EtrSet => "restoration time named",
        FactName::CrewRestored => "power restored",
        FactName::Contacted => "customer contacted",
        FactName::Replied => "replied",
        FactName::ReplyPassed => "reply passed",
        FactName::ReplySentBack => "reply sent back",
        FactName::RevisitAttempted => "revisit attempted",
        FactName::Revisited => "revisited",
        FactName::Reopened => "reopened",
        FactName::Closed => "closed",
        FactName::Urged => "urged",
        FactName::Supervised => "put under supervision",
        FactName::Escalated => "escalated",
        FactName::Suspended => "suspended",
        FactName::Resumed => "resumed",
        FactName::Extended => "extended",
        FactName::Merged => "merged into a master ticket",
        FactName::Unmerged => "unmerged",
        FactName::MasterFollowed => "settled with its master ticket",
        FactName::Withdrawn => "withdrawn",
    }
}

pub(super) fn fact_chinese(fact: FactName) -> &'static str {
    match fact {
        FactName::Received => "受理",
        FactName::Classified => "分类定级",
        FactName::ClosedAtFirstContact => "办结",
        FactName::Dispatched => "派发",
        FactName::Accepted => "接单",
        FactName::Returned => "退单",
        FactName::Reassigned => "改派",
        FactName::CrewAccepted => "班组接单",
        FactName::CrewEnRoute => "班组出发",
        FactName::CrewArrived => "到达现场",
        FactName::CrewDiagnosed => "查明原因",
        FactName::EtrSet => "告知预计复电时间",
        FactName::CrewRestored => "恢复供电",
        FactName::Contacted => "联系客户",
        FactName::Replied => "回单",
        FactName::ReplyPassed => "审核通过",
        FactName::ReplySentBack => "回退",
        FactName::RevisitAttempted => "尝试回访",
        FactName::Revisited => "回访",
        FactName::Reopened => "重新处理",
        FactName::Closed => "归档",
        FactName::Urged => "催办",
        FactName::Supervised => "督办",
        FactName::Escalated => "升级",
        FactName::Suspended => "挂起",
        FactName::Resumed => "恢复处理",
        FactName::Extended => "延期",
        FactName::Merged => "合并",
        FactName::Unmerged => "取消合并",
        FactName::MasterFollowed => "随主单办结",
        FactName::Withdrawn => "撤销",
    }
}
