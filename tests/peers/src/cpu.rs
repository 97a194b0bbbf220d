//! CPU time of processes, from `/proc`: what an operation costs, beside how long it takes.
//!
//! The kernel counts in hundredths of a second; that is coarse for one slice and fine for the sum of many.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

/// The unit of `/proc/<pid>/stat`: `USER_HZ`, 100 on every Linux that this runs on.
const TICK: Duration = Duration::from_millis(10);

/// User, system and interrupt time of the whole machine, all processors together, stolen time included.
pub fn of_machine() -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    TICK * busy(&text).unwrap_or(0)
}

/// The first line: user, nice, system, idle, waiting, interrupt, soft interrupt, stolen; guests are in user already.
fn busy(text: &str) -> Option<u32> {
    let fields: Vec<u32> = text.lines().next()?.split_whitespace().skip(1).flat_map(str::parse).collect();
    let part = |range: std::ops::Range<usize>| Some(fields.get(range)?.iter().sum::<u32>());
    Some(part(0..3)? + part(5..8)?)
}

/// One line of `/proc/<pid>/stat`.
struct Stat {
    parent: u32,
    own: u32,
    reaped: u32,
}

/// User and system time of this process.
pub fn of_this_process() -> Duration {
    read(std::process::id()).map_or(Duration::ZERO, |stat| TICK * stat.own)
}

/// User and system time of these processes and of all processes below them, including those that have ended.
///
/// PostgreSQL has one process for each connection, so its first process alone says little.
pub fn of_trees(roots: &[u32]) -> Duration {
    let stats = all();
    below_all(&stats, roots).iter().filter_map(|pid| stats.get(pid)).map(|stat| TICK * (stat.own + stat.reaped)).sum()
}

/// These processes and all processes below them, now.
pub fn trees(roots: &[u32]) -> BTreeSet<u32> {
    below_all(&all(), roots)
}

fn all() -> BTreeMap<u32, Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, read(pid)?))).collect()
}

fn below_all(stats: &BTreeMap<u32, Stat>, roots: &[u32]) -> BTreeSet<u32> {
    roots.iter().flat_map(|root| below(stats, *root)).collect()
}

fn below(stats: &BTreeMap<u32, Stat>, root: u32) -> BTreeSet<u32> {
    let mut found = BTreeSet::from([root]);
    // A child may have a lower number than its parent once the numbers have wrapped, hence until nothing is added.
    loop {
        let before = found.len();
        for (pid, stat) in stats {
            if found.contains(&stat.parent) {
                found.insert(*pid);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

fn read(pid: u32) -> Option<Stat> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The command name may hold spaces and parentheses: the fields begin after the last one.
fn parse(line: &str) -> Option<Stat> {
    let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u32>().ok();
    Some(Stat { parent: number(1)?, own: number(11)? + number(12)?, reaped: number(13)? + number(14)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_name_with_parentheses_does_not_shift_the_fields() {
        let stat = parse("17 (a) b) S 4 17 17 0 -1 4194304 1 2 3 4 50 60 7 8 20 0 1 0 9").unwrap();
        assert_eq!((stat.parent, stat.own, stat.reaped), (4, 110, 15));
    }

    #[test]
    fn idle_and_waiting_are_not_busy() {
        assert_eq!(busy("cpu  1 2 3 1000 1000 4 5 6 7 8\ncpu0 9 9 9"), Some(21));
    }

    #[test]
    fn a_tree_holds_grandchildren() {
        let stat = |parent| Stat { parent, own: 0, reaped: 0 };
        let stats = BTreeMap::from([(2, stat(9)), (9, stat(5)), (5, stat(1)), (6, stat(1))]);
        assert_eq!(below(&stats, 5), BTreeSet::from([2, 5, 9]));
        assert_eq!(below_all(&stats, &[6, 9]), BTreeSet::from([2, 6, 9]));
    }
}
