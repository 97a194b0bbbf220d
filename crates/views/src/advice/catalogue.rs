//! The sentences for callers in both languages; `advice` decides which one applies.

use chrono::{DateTime, Datelike, FixedOffset, Timelike};
use switchboard_domain::ticket::SuspendReason;

use super::{Estimate, Language, Standing, china};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn sentence(standing: Standing, estimate: Option<Estimate>, language: Language) -> String {
    let stem = stem(standing, language);
    let clause = estimate.and_then(|estimate| clause(estimate, language));
    match (language, clause) {
        (Language::Chinese, Some(clause)) => format!("{stem}，{clause}。"),
        (Language::Chinese, None) => format!("{stem}。"),
        (Language::English, Some(clause)) => format!("{stem}; {clause}."),
        (Language::English, None) => format!("{stem}."),
    }
}

fn stem(standing: Standing, language: Language) -> &'static str {
    let (chinese, english) = match standing {
        Standing::Registered => ("您的诉求已受理，正在安排处理", "Your report is registered and is being assigned"),
        Standing::HandedOn => ("您的工单已派发至责任单位", "Your report has been sent to the unit in charge"),
        Standing::InWork => ("责任单位正在处理您的诉求", "The unit in charge is working on your report"),
        Standing::PartOfOutage => {
            ("您反映的问题属于已知停电，正在统一处理", "Your report belongs to a known outage that is being worked on")
        }
        Standing::Waiting(reason) => waiting(reason),
        Standing::CrewAssigned => ("抢修班组已接到您的工单", "A repair crew has been given your report"),
        Standing::CrewEnRoute => ("抢修人员已出发", "A repair crew is on its way"),
        Standing::CrewOnSite => ("抢修人员已到达现场", "A repair crew is on site"),
        Standing::CauseKnown => ("抢修人员已查明原因，正在处理", "The crew has found the cause and is repairing it"),
        Standing::PowerBack => ("抢修已完成，供电已恢复", "The repair is done and power is back"),
        Standing::SiteDone => ("现场工作已完成", "The work on site is done"),
        Standing::BeingChecked => {
            ("您的诉求已处理完毕，正在审核", "The work on your report is done and is being checked")
        }
        Standing::RevisitDue => {
            ("您的诉求已处理完毕，稍后将对您回访", "The work on your report is done; we will ask you how it went")
        }
        Standing::Settled => ("您的诉求已办理完成", "Your report is settled"),
        Standing::Closed => ("您的工单已归档", "Your report is closed"),
        Standing::Withdrawn => ("您的工单已按您的要求撤销", "Your report was withdrawn at your request"),
    };
    match language {
        Language::Chinese => chinese,
        Language::English => english,
    }
}

fn waiting(reason: SuspendReason) -> (&'static str, &'static str) {
    match reason {
        SuspendReason::Customer => ("处理暂停，正在等待您的配合", "The work is waiting for you"),
        SuspendReason::Works => ("处理暂停，正在等待计划施工", "The work is waiting for planned works"),
        SuspendReason::ThirdParty => ("处理暂停，正在等待第三方", "The work is waiting for a third party"),
        SuspendReason::Weather => ("因天气原因，抢修暂停", "The work is waiting for safe weather"),
    }
}

fn clause(estimate: Estimate, language: Language) -> Option<String> {
    let at: DateTime<FixedOffset> = match estimate {
        Estimate::By(instant) => instant.with_timezone(&china()?),
        Estimate::Passed => {
            return Some(match language {
                Language::Chinese => "此前预计的复电时间已过，请以最新通知为准".into(),
                Language::English => "the time estimated earlier has passed and a new one is not known yet".into(),
            });
        }
    };
    let (month, day, hour, minute) = (at.month(), at.day(), at.hour(), at.minute());
    Some(match language {
        Language::Chinese => format!("预计{month}月{day}日{hour}时{minute:02}分前恢复供电"),
        Language::English => {
            let name = MONTHS.get(at.month0() as usize).copied().unwrap_or_default();
            format!("power is expected back by {hour:02}:{minute:02} on {day} {name}")
        }
    })
}
