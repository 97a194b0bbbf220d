//! A small ext4 file system on a loop device that a test can fill up and whose power it can cut. It needs root. Where
//! it cannot be made, a message is printed and the caller skips the test. After a cut, only what was acknowledged
//! before the cut began counts. A sync in progress at that moment may report success although nothing was written.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

/// The file system.
#[derive(Debug)]
pub struct Disk {
    place: TempDir,
    mounted: bool,
}

impl Disk {
    /// Makes and mounts a file system of that size. Returns `None` and prints a message where that is not possible.
    ///
    /// # Panics
    /// When there is no temporary folder.
    #[must_use]
    pub fn make(mebibytes: u64) -> Option<Self> {
        let mut disk = Self { place: tempfile::tempdir().expect("a temporary folder"), mounted: false };
        match disk.format(mebibytes).and_then(|()| disk.mount()) {
            Ok(()) => Some(disk),
            Err(error) => {
                skipped(&format!("no file system of our own (root, mkfs.ext4, mount, loop devices needed): {error}"));
                None
            }
        }
    }

    fn image(&self) -> PathBuf {
        self.place.path().join("image")
    }

    /// Returns its mount point.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.place.path().join("mounted")
    }

    /// Returns a path beside it, on another disk.
    #[must_use]
    pub fn beside(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn format(&self, mebibytes: u64) -> io::Result<()> {
        if !rustix::process::geteuid().is_root() {
            return Err(io::Error::other("not root"));
        }
        std::fs::create_dir(self.path())?;
        File::create(self.image())?.set_len(mebibytes << 20)?;
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(self.image()))
    }

    /// Mounts it.
    ///
    /// # Errors
    /// When `mount` fails.
    pub fn mount(&mut self) -> io::Result<()> {
        run(Command::new("mount").args(["-o", "loop"]).arg(self.image()).arg(self.path()))?;
        self.mounted = true;
        Ok(())
    }

    /// Unmounts it; waits up to 2 s until no process uses it.
    ///
    /// # Errors
    /// When it stays busy.
    pub fn unmount(&mut self) -> io::Result<()> {
        for _ in 0..100 {
            if run(Command::new("umount").arg(self.path())).is_ok() {
                self.mounted = false;
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(io::Error::other("the file system stays busy"))
    }

    /// Prepares to cut the power, so that the cut itself has no delay.
    ///
    /// # Errors
    /// When there is no python3 to call the ioctl.
    pub fn switch(&self) -> io::Result<Switch> {
        const SCRIPT: &str = "import fcntl, os, struct, sys\n\
            disk = os.open(sys.argv[1], os.O_RDONLY)\n\
            print('ready', flush=True)\n\
            sys.stdin.readline()\n\
            fcntl.ioctl(disk, 0x8004587d, struct.pack('I', 2))\n\
            print('cut', flush=True)\n";
        let mut command = Command::new("python3");
        let mut child =
            command.args(["-c", SCRIPT]).arg(self.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let said = child.stdout.take().map(BufReader::new).ok_or(io::ErrorKind::BrokenPipe)?;
        let mut switch = Switch { child, said };
        switch.expect("ready").map(|()| switch)
    }

    /// Fills it up except for that many bytes, and returns the file that takes the space.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn fill_up(&self, but_for: u64) -> io::Result<PathBuf> {
        let path = self.path().join("filler");
        let mut file = File::create(&path)?;
        for piece in [1 << 16, 1 << 10] {
            while file.write_all(&vec![1; piece]).is_ok() {}
        }
        file.set_len(file.metadata()?.len().saturating_sub(but_for))?;
        file.sync_all()?;
        Ok(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted && self.unmount().is_err() {
            let _ = run(Command::new("umount").arg("-l").arg(self.path()));
        }
    }
}

/// A process that can cut the power of a disk.
#[derive(Debug)]
pub struct Switch {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Switch {
    fn expect(&mut self, word: &str) -> io::Result<()> {
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        if line.trim() == word { Ok(()) } else { Err(io::Error::other(format!("{line:?} where {word:?} was due"))) }
    }

    /// Cuts the power: data that was not synced is lost, and nothing reaches the disk any more.
    ///
    /// # Errors
    /// When the cut failed.
    pub fn cut(mut self) -> io::Result<()> {
        if let Some(stdin) = &mut self.child.stdin {
            stdin.write_all(b"now\n")?;
        }
        self.expect("cut")
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Prints that a test is skipped, and why.
pub fn skipped(what: &str) {
    eprintln!("SKIPPED: {what}");
}

/// Returns the path of a file in the folder of recorded outages: `SWITCHBOARD_DEMAND`, else `../shared/data` beside the
/// workspace. Prints a message if it is absent.
#[must_use]
pub fn recorded(file: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("SWITCHBOARD_DEMAND").map_or(beside, PathBuf::from);
    let path = folder.join(file);
    if path.exists() {
        return Some(path);
    }
    skipped(&format!("{} is not here; set SWITCHBOARD_DEMAND to the folder that holds it", path.display()));
    None
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}
