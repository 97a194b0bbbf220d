//! The settings of the server. They come from a file, the environment and flags; a later source overrides an earlier
//! one. Every value is listed with its origin. The limits that protect the service are here, with their defaults. The
//! limits of the trade are in `switchboard_domain::rules`.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use config::{Environment, File, FileFormat, Source, Value};
use serde::{Deserialize, Serialize};
use switchboard_dispatcher::policy::Policy;
use switchboard_domain::rules::Rules;

use crate::dispatch_file;

/// The environment variables' prefix: `SWITCHBOARD_LISTEN`, `SWITCHBOARD_RULES__URGES_MAX`.
pub const ENVIRONMENT_PREFIX: &str = "SWITCHBOARD";

/// The configuration of one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The folder of the log, the keys and the read models.
    pub data: PathBuf,
    /// The address where gRPC listens. Loopback only, until access control is configured. Port 0 takes a free port.
    pub listen: SocketAddr,
    /// The address where health and metrics are served over HTTP. Loopback only.
    pub operations: SocketAddr,
    /// The deadline of a call that states none, and the longest deadline of any call, in milliseconds.
    pub deadline_ms: u64,
    /// The most calls in progress. Beyond it, calls are refused by class; see `grpc/admission.rs`.
    pub calls_max: usize,
    /// The most streams that are open.
    pub streams_max: usize,
    /// The most tickets that are kept folded in memory.
    pub tickets_cached: usize,
    /// The longest wait of a stopping server for calls in flight, in milliseconds.
    pub drain_ms: u64,
    /// The path of the dispatch policy's file. If it is empty, the built-in copy of the shipped file is used.
    pub dispatch: String,
    /// The limits of the trade.
    pub rules: Rules,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("data"),
            listen: SocketAddr::from(([127, 0, 0, 1], 9559)),
            operations: SocketAddr::from(([127, 0, 0, 1], 9560)),
            deadline_ms: 5_000,
            calls_max: 1_024,
            streams_max: 20_000,
            tickets_cached: 100_000,
            drain_ms: 10_000,
            dispatch: String::new(),
            rules: Rules::default(),
        }
    }
}

/// One value and its origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The dotted name.
    pub name: String,
    /// The value.
    pub value: serde_json::Value,
    /// `default`, the file's path, `environment` or `flag`.
    pub origin: String,
}

/// The reason to reject a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file or value cannot be read.
    #[error("the configuration cannot be read")]
    Unreadable(#[from] config::ConfigError),
    /// A value is out of its range.
    #[error("{name}: {problem}")]
    OutOfRange {
        /// The dotted name of the value.
        name: &'static str,
        /// The range that the value must be in, or the rule that it breaks.
        problem: String,
    },
}

/// The values that the command line sets, by dotted name.
pub type Flags = Vec<(String, String)>;

impl Config {
    /// Reads all sources. Returns the configuration, and every value with its origin.
    ///
    /// # Errors
    /// A file is missing or malformed, a name is unknown, or a value does not fit.
    pub fn load(file: Option<&Path>, flags: &Flags) -> Result<(Self, Vec<Setting>), ConfigError> {
        let text = toml::to_string(&Self::default()).map_err(|e| config::ConfigError::Message(e.to_string()))?;
        let mut builder = config::Config::builder().add_source(File::from_str(&text, FileFormat::Toml));
        let mut origins = origins(
            &config::Config::builder().add_source(File::from_str(&text, FileFormat::Toml)).build()?,
            "default",
        )?;
        if let Some(path) = file {
            let source = File::from(path).format(FileFormat::Toml);
            let alone = config::Config::builder().add_source(source.clone()).build()?;
            origins.extend(self::origins(&alone, &path.display().to_string())?);
            builder = builder.add_source(source);
        }
        let environment =
            Environment::with_prefix(ENVIRONMENT_PREFIX).prefix_separator("_").separator("__").try_parsing(true);
        let environment = Known { inner: environment, names: origins.keys().cloned().collect() };
        let alone = config::Config::builder().add_source(environment.clone()).build()?;
        origins.extend(self::origins(&alone, "environment")?);
        builder = builder.add_source(environment);
        for (name, value) in flags {
            builder = builder.set_override(name, value.as_str())?;
            origins.insert(name.clone(), "flag".into());
        }
        let built = builder.build()?;
        let loaded: Self = built.try_deserialize()?;
        loaded.check()?;
        let mut settings = Vec::new();
        flatten("", &serde_json::json!(loaded), &mut |name, value| {
            let origin = origins.get(name).cloned().unwrap_or_else(|| "default".into());
            settings.push(Setting { name: name.into(), value: value.clone(), origin });
        });
        settings.sort_by(|a, b| a.name.cmp(&b.name));
        Ok((loaded, settings))
    }

    /// Checks ranges, and that only loopback addresses are listened on.
    fn check(&self) -> Result<(), ConfigError> {
        let out = |name, problem: &str| Err(ConfigError::OutOfRange { name, problem: problem.into() });
        for (name, address) in [("listen", self.listen), ("operations", self.operations)] {
            if !address.ip().is_loopback() {
                return out(name, "only loopback addresses are served until access control is configured");
            }
        }
        match self {
            _ if !(10..=600_000).contains(&self.deadline_ms) => out("deadline_ms", "10 to 600000"),
            _ if !(1..=65_536).contains(&self.calls_max) => out("calls_max", "1 to 65536"),
            _ if !(1..=200_000).contains(&self.streams_max) => out("streams_max", "1 to 200000"),
            _ if !(16..=10_000_000).contains(&self.tickets_cached) => out("tickets_cached", "16 to 10000000"),
            _ if self.drain_ms > 600_000 => out("drain_ms", "at most 600000"),
            _ if self.rules.revisit_tries_max == 0 => out("rules.revisit_tries_max", "at least 1"),
            _ => Ok(()),
        }
    }

    /// Reads the dispatch policy.
    ///
    /// # Errors
    /// The file cannot be read, or it has faults; all faults are listed.
    pub fn dispatch_policy(&self) -> anyhow::Result<Policy> {
        let shipped = ("deploy/dispatch/sgcc.toml", include_str!("../../../deploy/dispatch/sgcc.toml").to_owned());
        let (name, text) = match self.dispatch.as_str() {
            "" => shipped,
            path => (path, std::fs::read_to_string(path).with_context(|| format!("the dispatch policy {path}"))?),
        };
        dispatch_file::read(&text, name).map_err(|faults| {
            let told: Vec<String> =
                faults.iter().map(|fault| format!("{name}:{}: {}", fault.line, fault.reason)).collect();
            anyhow::anyhow!("{}", told.join("\n"))
        })
    }

    /// The deadline of a call that states none.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }
}

/// The environment without the variables that name no setting. Tests and deployments keep other variables under the
/// same prefix.
#[derive(Clone, Debug)]
struct Known {
    inner: Environment,
    names: Vec<String>,
}

impl Source for Known {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<config::Map<String, Value>, config::ConfigError> {
        let mut all = self.inner.collect()?;
        let first = |name: &String| name.split('.').next().unwrap_or_default().to_owned();
        let roots: Vec<String> = self.names.iter().map(first).collect();
        all.retain(|name, _| roots.contains(&first(name)));
        Ok(all)
    }
}

/// Every leaf that a source sets, with the name of that source.
fn origins(config: &config::Config, origin: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut found = BTreeMap::new();
    flatten("", &config.clone().try_deserialize()?, &mut |name, _| {
        found.insert(name.to_owned(), origin.to_owned());
    });
    Ok(found)
}

/// Calls `each` for every leaf, with its dotted name.
fn flatten(prefix: &str, value: &serde_json::Value, each: &mut impl FnMut(&str, &serde_json::Value)) {
    match value.as_object() {
        Some(table) => {
            for (key, value) in table {
                let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&name, value, each);
            }
        }
        None => each(prefix, value),
    }
}
