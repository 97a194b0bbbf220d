//! Fixtures of the tests: stores in temporary folders, distinguishable events, and a file system of its own.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use switchboard_eventstore::{
    Direction, EventStore, Expected, NewEvent, Position, ReadError, Recorded, SqliteOptions, SqliteStore, StreamName,
};
use tempfile::TempDir;
use uuid::Uuid;

pub fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, SqliteOptions::default()).unwrap()
}

pub fn name(text: &str) -> StreamName {
    StreamName::parse(text).unwrap()
}

pub fn event(data: impl Into<Vec<u8>>) -> NewEvent {
    NewEvent { id: Uuid::new_v4(), kind: "thing.happened.v1".into(), data: data.into(), meta: b"{}".to_vec() }
}

/// The number of repetitions: the default, unless the environment variable says otherwise.
pub fn count(variable: &str, default: u32) -> u32 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// All events of the log, read page by page.
pub async fn all(store: &dyn EventStore) -> Result<Vec<Recorded>, ReadError> {
    let mut log: Vec<Recorded> = Vec::new();
    loop {
        let after = log.last().map_or(Position::START, |event| event.position);
        let page = store.read_all(after, usize::MAX, Direction::Forward).await?;
        if page.is_empty() {
            return Ok(log);
        }
        log.extend(page);
    }
}

/// Appends `count` events of some hundred bytes to a few streams, and closes the store.
pub async fn fill(folder: &Path, count: usize) -> Vec<Recorded> {
    let store = open(folder);
    let mut left = count;
    while left > 0 {
        let events = (0..left.min(50)).map(|n| event(format!("event {n} {}", "x".repeat(300)))).collect::<Vec<_>>();
        left -= events.len();
        store.append(&name(&format!("ticket-{}", left % 7)), Expected::Any, events).await.unwrap();
    }
    let log = all(&store).await.unwrap();
    store.close().await;
    log
}

/// A small ext4 file system of its own, on a loop device. If it cannot be made, a message is printed.
pub struct Disk {
    place: TempDir,
    mounted: bool,
}

impl Disk {
    pub fn make(mebibytes: u64) -> Option<Self> {
        let disk = Self { place: tempfile::tempdir().unwrap(), mounted: false };
        match disk.format(mebibytes) {
            Ok(()) => {}
            Err(error) => {
                eprintln!(
                    "SKIPPED: no file system of our own (root, mkfs.ext4, mount and loop devices needed): {error}"
                );
                return None;
            }
        }
        let mut disk = disk;
        match disk.mount() {
            Ok(()) => Some(disk),
            Err(error) => {
                eprintln!("SKIPPED: cannot mount a file system of our own: {error}");
                None
            }
        }
    }

    fn image(&self) -> PathBuf {
        self.place.path().join("image")
    }

    pub fn path(&self) -> PathBuf {
        self.place.path().join("mounted")
    }

    fn format(&self, mebibytes: u64) -> io::Result<()> {
        if !rustix::process::geteuid().is_root() {
            return Err(io::Error::other("not root"));
        }
        std::fs::create_dir(self.path())?;
        std::fs::File::create(self.image())?.set_len(mebibytes << 20)?;
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(self.image()))
    }

    pub fn mount(&mut self) -> io::Result<()> {
        run(Command::new("mount").args(["-o", "loop"]).arg(self.image()).arg(self.path()))?;
        self.mounted = true;
        Ok(())
    }

    pub fn unmount(&mut self) -> io::Result<()> {
        for _ in 0..100 {
            if run(Command::new("umount").arg(self.path())).is_ok() {
                self.mounted = false;
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Err(io::Error::other("the file system stays busy"))
    }

    /// Prepares a power cut, so that the cut itself takes effect at once. `witness` is a file on another disk.
    pub fn switch(&self, witness: &Path) -> io::Result<Switch> {
        const SCRIPT: &str = "import fcntl, os, struct, sys\n\
            disk, witness = (os.open(path, os.O_RDONLY) for path in sys.argv[1:])\n\
            print('ready', flush=True)\n\
            sys.stdin.readline()\n\
            size = os.fstat(witness).st_size\n\
            fcntl.ioctl(disk, 0x8004587d, struct.pack('I', 2))\n\
            print(size, flush=True)\n";
        let mut command = Command::new("python3");
        let command = command.args(["-c", SCRIPT]).arg(self.path()).arg(witness);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let said = child.stdout.take().map(BufReader::new).ok_or(io::ErrorKind::BrokenPipe)?;
        let mut switch = Switch { child, said };
        match switch.line()?.as_str() {
            "ready" => Ok(switch),
            other => Err(io::Error::other(format!("{other:?} instead of a power switch"))),
        }
    }
}

/// The process that cuts the power of a disk.
pub struct Switch {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Switch {
    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// Cuts the power: data that was not synced is lost, and later writes do not reach the disk. Returns the size that
    /// the witness had just before.
    pub fn cut(mut self) -> io::Result<usize> {
        if let Some(stdin) = &mut self.child.stdin {
            stdin.write_all(b"now\n")?;
        }
        let size = self.line()?.parse().map_err(io::Error::other)?;
        self.child.wait()?;
        Ok(size)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted && self.unmount().is_err() {
            let _ = run(Command::new("umount").arg("-l").arg(self.path()));
        }
    }
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}
