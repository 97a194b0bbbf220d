//! A data folder, servers on it, and commands of the binary. Every child process is killed by its process id when its
//! handle is dropped. Two stages share no port, folder or server.

use std::{
    ffi::OsStr,
    fs::File,
    io::{BufRead, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::line::Line;

/// The longest time that a server may take to start or to stop.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Returns the binary under test, found beside the test executable.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("the path of this test");
    let path = own.parent().and_then(Path::parent).expect("a target folder").join("switchboard");
    assert!(path.exists(), "{} is missing: build it first: cargo build -p switchboard-cli", path.display());
    path
}

/// Builds a command of the binary, without the settings that the tests' own environment may hold.
#[must_use]
pub fn switchboard<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SWITCHBOARD_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The output of a finished command of the binary.
#[derive(Clone, Debug)]
pub struct Said {
    /// True if the exit code was 0.
    pub ok: bool,
    /// The text on stdout.
    pub out: String,
    /// The text on stderr.
    pub err: String,
}

impl Said {
    /// Returns the JSON document on stdout.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// Returns the JSON document on stderr, which is the last line there.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn refusal(&self) -> Value {
        let last = self.err.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }
}

/// Runs a command of the binary to its end.
///
/// # Panics
/// When it cannot be started.
pub fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Said {
    finish(&mut switchboard(arguments))
}

/// Runs a prepared command to its end.
///
/// # Panics
/// When it cannot be started.
pub fn finish(command: &mut Command) -> Said {
    let output = command.output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { ok: output.status.success(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// A data folder, with room for other files beside it.
#[derive(Debug)]
pub struct Stage {
    place: TempDir,
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

impl Stage {
    /// Creates an empty stage.
    ///
    /// # Panics
    /// When no temporary folder can be made.
    #[must_use]
    pub fn new() -> Self {
        Self { place: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Returns the data folder. It exists once a server was started on it.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.place.path().join("data")
    }

    /// Returns a path beside the data folder.
    #[must_use]
    pub fn beside(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Starts a server on the folder.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// Starts a server on the folder with more arguments.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn serve_with(&self, more: &[&str]) -> Server {
        Server::start(&mut serve(&self.data(), more), &self.beside("server.log"))
            .unwrap_or_else(|said| panic!("{said}"))
    }

    /// Starts a server that is expected not to come up, and returns its error output.
    ///
    /// # Panics
    /// When it comes up.
    #[must_use]
    pub fn refused(&self, more: &[&str]) -> String {
        match Server::start(&mut serve(&self.data(), more), &self.beside("refused.log")) {
            Ok(server) => panic!("it serves at {}", server.listen),
            Err(said) => said,
        }
    }

    /// Verifies the log of a stopped server.
    ///
    /// # Panics
    /// When there is no report.
    #[must_use]
    pub fn check(&self) -> Value {
        check(&self.data())
    }
}

/// Runs `store check --json`.
///
/// # Panics
/// When there is no report.
#[must_use]
pub fn check(data: &Path) -> Value {
    run([OsStr::new("store"), "check".as_ref(), data.as_os_str(), "--json".as_ref()]).json()
}

/// Builds the command that serves a folder on free ports.
#[must_use]
pub fn serve(data: &Path, more: &[&str]) -> Command {
    let mut command = switchboard(["serve", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0", "--data"]);
    command.arg(data).args(more);
    command
}

/// A server as a child process, killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Kept open, because a server that writes to a closed pipe fails.
    _out: BufReader<ChildStdout>,
    /// The address of gRPC.
    pub listen: SocketAddr,
    /// The address of operations.
    pub operations: SocketAddr,
}

impl Server {
    /// Asks whether the server is ready: true or false, with its own words.
    ///
    /// # Panics
    /// When operations do not answer.
    #[must_use]
    pub fn ready(&self) -> (bool, String) {
        let mut stream = TcpStream::connect(self.operations).expect("operations listen");
        stream.write_all(b"GET /health/ready HTTP/1.0\r\n\r\n").expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let words = answer.lines().last().unwrap_or_default().to_owned();
        (answer.split_whitespace().nth(1) == Some("200"), words)
    }

    /// Starts `command` and waits for the line with its addresses. Its text log goes to the file `log`.
    ///
    /// # Errors
    /// Its error output, if it ended instead.
    ///
    /// # Panics
    /// When the child cannot be started, or prints nothing for [`PATIENCE`].
    pub fn start(command: &mut Command, log: &Path) -> Result<Self, String> {
        let file = File::options().create(true).append(true).open(log).expect("a log file");
        let before = file.metadata().map_or(0, |found| found.len());
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().expect("the binary runs");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let (tell, told) = mpsc::channel();
        let reading = std::thread::spawn(move || {
            let mut line = String::new();
            let _ = out.read_line(&mut line);
            let _ = tell.send(line);
            out
        });
        let Ok(line) = told.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            panic!("a server says nothing; see {}", log.display());
        };
        let out = reading.join().expect("the reading thread");
        match addresses(&line) {
            Some((listen, operations)) => Ok(Self { child, _out: out, listen, operations }),
            None => {
                let _ = child.kill();
                let status = child.wait().expect("an end");
                assert!(!status.success(), "it ended well without serving: {line:?}");
                let said = std::fs::read(log).unwrap_or_default();
                Err(String::from_utf8_lossy(&said[usize::try_from(before).unwrap_or(0)..]).into_owned())
            }
        }
    }

    /// Returns its address as clients name it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Opens a new connection.
    ///
    /// # Panics
    /// When the server refuses it.
    pub async fn line(&self) -> Line {
        Line::to(&self.endpoint()).await
    }

    /// Returns a connection that is made with the first call, and again when it is lost.
    #[must_use]
    pub fn lazy_line(&self) -> Line {
        Line::lazy(&self.endpoint())
    }

    /// Returns its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns its resident memory in bytes.
    ///
    /// # Panics
    /// When `/proc` cannot be read.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("a running server");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
    }

    /// Sends SIGTERM without waiting.
    ///
    /// # Panics
    /// When it cannot be signalled.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("a running server");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end within [`PATIENCE`].
    pub fn ended(mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Stops it with SIGTERM and waits for its end.
    ///
    /// # Panics
    /// When it does not end with exit code 0.
    pub fn stop(self) {
        self.terminate();
        let status = self.ended();
        assert!(status.success(), "{status}");
    }

    /// Kills it at once with SIGKILL.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Parses `listening on ADDR (operations on ADDR), data in ...`.
fn addresses(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let (listen, rest) = line.strip_prefix("listening on ")?.split_once(" (operations on ")?;
    let (operations, _) = rest.split_once(')')?;
    Some((listen.parse().ok()?, operations.parse().ok()?))
}

/// Polls `ask` until it returns a value.
///
/// # Panics
/// When there is no value within [`PATIENCE`].
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} does not come");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Returns a number of repetitions: the default, unless the environment variable sets another.
#[must_use]
pub fn count(variable: &str, default: u32) -> u32 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
