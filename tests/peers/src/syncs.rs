//! The proof that acknowledged appends were synced: `strace` counts the syncs in a slice of its own, with one caller.
//!
//! One caller leaves nothing to share a sync with, so there must be at least one sync per append. The slice is slow and
//! never part of a figure. Syncs by other means (`O_DSYNC`, io_uring) are not seen: a store that uses them shows zero
//! here.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use crate::contestant::Contestant;
use crate::cpu;
use crate::workload::Fault;

/// The system calls that count.
const CALLS: &str = "trace=fsync,fdatasync,msync,sync_file_range";
/// How long `strace` may take to attach.
const ATTACH_MAX: Duration = Duration::from_secs(5);
/// How long the counted slice is.
const SLICE: Duration = Duration::from_millis(500);

/// Syncs per acknowledged append.
pub async fn per_append(contestant: &mut dyn Contestant, folder: &Path) -> Result<f64, Fault> {
    // Connects the caller, so that the process that will sync is there to be attached to.
    contestant.slice(1, Duration::from_millis(50)).await?;
    let pids = match contestant.servers() {
        [] => [std::process::id()].into(),
        roots => cpu::trees(roots),
    };
    let trace = folder.join("syncs.txt");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", CALLS, "-o"]).arg(&trace).stdin(Stdio::null()).stderr(Stdio::null());
    for pid in &pids {
        strace.arg("-p").arg(pid.to_string());
    }
    let mut strace = strace.kill_on_drop(true).spawn()?;
    let attached = attached(&mut strace, pids.iter().copied()).await;
    let tally = match attached {
        Ok(()) => Some(contestant.slice(1, SLICE).await?),
        Err(_) => None,
    };
    if let Some(pid) = strace.id() {
        // An interrupt lets strace detach in order; a kill might take the traced process along.
        Command::new("kill").args(["-INT", &pid.to_string()]).status().await?;
    }
    strace.wait().await?;
    attached?;
    let appends = tally.map_or(0, |tally| tally.appends);
    let syncs = fs::read_to_string(&trace)?.lines().filter(|line| line.contains("sync(")).count();
    Ok(syncs as f64 / appends.max(1) as f64)
}

/// Waits until every process has a tracer.
async fn attached(strace: &mut Child, pids: impl Iterator<Item = u32> + Clone) -> Result<(), Fault> {
    let begun = Instant::now();
    loop {
        if pids.clone().all(is_traced) {
            return Ok(());
        }
        if strace.try_wait()?.is_some() || begun.elapsed() > ATTACH_MAX {
            return Err("strace could not attach".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn is_traced(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|tracer| tracer.trim() != "0"))
}
