//! The policies and calendars that are part of the binary, so that a folder made by a demo or an import has promises.
//! They are published through the API as by any operator; `serve` itself publishes nothing.

use switchboard_wire::proto::{
    FactFilter, ListPoliciesRequest, ListPoliciesResponse, PublishCalendarRequest, PublishPolicyRequest,
    ReadLogRequest, ReadLogResponse,
};
use uuid::Uuid;

use crate::client::{Caller, Line};

/// A shipped file: its name and its text.
type Shipped = (&'static str, &'static str);

/// Includes files below `deploy` with their names.
macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../deploy/", $name)))),+]
    };
}

/// Every year of every calendar.
const CALENDARS: &[Shipped] = &shipped![
    "calendars/cn/2018.toml",
    "calendars/cn/2019.toml",
    "calendars/cn/2020.toml",
    "calendars/cn/2021.toml",
    "calendars/cn/2022.toml",
    "calendars/cn/2023.toml",
    "calendars/cn/2024.toml",
    "calendars/cn/2025.toml",
    "calendars/cn/2026.toml",
];

/// The policy of every operator.
const POLICIES: &[Shipped] = &shipped!["policies/sgcc.toml", "policies/csg.toml"];

/// Publishes all files. Calendars come first, so that a policy never judges without its years.
pub async fn publish(endpoint: &str) -> anyhow::Result<()> {
    let line = Line::to(endpoint, Caller::in_role("operator")).await?;
    let request_id = || Uuid::new_v4().to_string();
    for (name, text) in CALENDARS {
        let (text, file_name) = ((*text).into(), (*name).into());
        let request = PublishCalendarRequest { request_id: request_id(), text, file_name, dry_run: false };
        line.ask("AdminService", "PublishCalendar", &request).await?;
    }
    for (name, text) in POLICIES {
        let (text, file_name) = ((*text).into(), (*name).into());
        let request =
            PublishPolicyRequest { request_id: request_id(), text, file_name, ..PublishPolicyRequest::default() };
        line.ask("AdminService", "PublishPolicy", &request).await?;
    }
    Ok(())
}

/// True if a policy was published.
pub async fn has_policy(endpoint: &str) -> anyhow::Result<bool> {
    let line = Line::to(endpoint, Caller::in_role("operator")).await?;
    let policies = line.ask("AdminService", "ListPolicies", &ListPoliciesRequest::default()).await?;
    Ok(!policies.transcode_to::<ListPoliciesResponse>()?.policies.is_empty())
}

/// Counts the tickets in the log, up to `max`.
pub async fn tickets(endpoint: &str, max: u64) -> anyhow::Result<u64> {
    let line = Line::to(endpoint, Caller::in_role("operator")).await?;
    let filter = FactFilter { kinds: vec!["ticket.received.v1".into()], ..FactFilter::default() };
    let page_size = u32::try_from(max.min(1_000)).unwrap_or(1_000);
    let mut request = ReadLogRequest { after_position: 0, page_size, filter: Some(filter) };
    let mut tickets = 0;
    loop {
        let page: ReadLogResponse = line.ask("AuditService", "ReadLog", &request).await?.transcode_to()?;
        tickets += page.facts.len() as u64;
        if page.end || tickets >= max {
            return Ok(tickets);
        }
        request.after_position = page.next_after_position;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use switchboard_wire::{calendar_file, policy_file};

    use super::*;

    fn deployed(folder: &str) -> Vec<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(folder);
        let names = std::fs::read_dir(path).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> =
            names.filter(|name| name.ends_with(".toml")).map(|name| format!("{folder}/{name}")).collect();
        names.sort();
        names
    }

    #[test]
    fn every_calendar_and_policy_of_the_deploy_folder_is_shipped() {
        assert_eq!(CALENDARS.iter().map(|(name, _)| *name).collect::<Vec<_>>(), deployed("calendars/cn"));
        let mut policies: Vec<&str> = POLICIES.iter().map(|(name, _)| *name).collect();
        policies.sort_unstable();
        assert_eq!(policies, deployed("policies"));
    }

    #[test]
    fn what_is_shipped_has_no_fault_and_every_policy_reads_a_shipped_calendar() {
        let mut calendars = Vec::new();
        for (name, text) in CALENDARS {
            calendars.push(calendar_file::read(name, text).unwrap_or_else(|faults| panic!("{name}: {faults:?}")).0);
        }
        for (name, text) in POLICIES {
            let policy = policy_file::read(name, text).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
            assert!(calendars.contains(&policy.calendar), "{name} reads {}", policy.calendar);
        }
    }
}
