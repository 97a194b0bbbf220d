//! The server under test: the release binary in a process of its own, with its CPU time and memory.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::Outcome;

pub struct Server {
    child: Child,
    pub endpoint: String,
}

impl Server {
    /// Starts `switchboard serve` on `data`; it stands beside this program.
    pub fn start(data: &Path) -> Outcome<Self> {
        let binary = std::env::current_exe()?.with_file_name("switchboard");
        let mut child = Command::new(&binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| {
                format!("{}: {error}; build it first: cargo build --release -p switchboard-cli", binary.display())
            })?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let address = line.split_whitespace().nth(2).ok_or("the server did not say where it listens")?;
        Ok(Self { endpoint: format!("http://{address}"), child })
    }

    /// User and system time so far. Linux counts it in hundredths of a second.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// A line of `/proc/<pid>/status` in MiB.
    pub fn memory(&self, line: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let found = status.lines().find_map(|l| l.strip_prefix(line)?.split_whitespace().nth(1)?.parse::<f64>().ok());
        found.unwrap_or(f64::NAN) / 1024.0
    }

    pub fn stop(mut self) -> Outcome<()> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
