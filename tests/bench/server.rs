//! The server under test: a release binary in a process of its own. Reads its CPU time, its memory and its warnings.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::Outcome;

pub struct Server {
    child: Child,
    pub endpoint: String,
    /// The file of the server's text log, so that its warnings do not appear between the tables.
    log: PathBuf,
}

impl Server {
    /// Starts `switchboard serve` on `data`, from the binary beside this program.
    pub fn start(data: &Path) -> Outcome<Self> {
        Self::of(&std::env::current_exe()?.with_file_name("switchboard"), data)
    }

    /// Returns the binary that `AGAINST` names, for example another version; `None` if unset or empty.
    pub fn against() -> Option<PathBuf> {
        std::env::var_os("AGAINST").filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    /// Starts `binary serve` on `data` with free ports, and reads the address from its first line of output.
    pub fn of(binary: &Path, data: &Path) -> Outcome<Self> {
        let log = data.with_extension("log");
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .env("NO_COLOR", "1")
            .stderr(File::create(&log)?)
            .spawn()
            .map_err(|error| {
                format!("{}: {error}; build it first: cargo build --release -p switchboard-cli", binary.display())
            })?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let address = line.split_whitespace().nth(2).ok_or("the server did not say where it listens")?;
        Ok(Self { endpoint: format!("http://{address}"), child, log })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the user and system time so far. The kernel reports it in ticks of 10 ms.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Returns a line of `/proc/<pid>/status`, such as `VmRSS`, in MiB; NaN if it is absent.
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
        let _ = self.child.wait();
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let mut warnings = text.lines().filter(|line| line.contains("WARN") || line.contains("ERROR"));
        if let Some(first) = warnings.next() {
            eprintln!("the server warned {} times, first: {first}", warnings.count() + 1);
        }
    }
}
