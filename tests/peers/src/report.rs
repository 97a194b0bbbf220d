//! The figures as a table, for a person, and as JSON, for a script.
//!
//! Judging is absent but for one word: whether the median ratio reaches the aim.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::contestant::Name;
use crate::disk::Mood;
use crate::pairs::{Pair, Side, Spread};

/// One of ours against one of theirs, at one number of callers.
pub struct Comparison {
    /// Ours.
    pub ours: Name,
    /// Theirs.
    pub theirs: Name,
    /// The number of callers at once.
    pub callers: usize,
    /// The measured pairs of slices.
    pub pairs: Vec<Pair>,
}

/// Everything that the run found out.
#[derive(Default)]
pub struct Report {
    /// Processors, kernel, folder.
    pub machine: BTreeMap<String, String>,
    /// Slices, pairs, thresholds.
    pub method: BTreeMap<String, String>,
    /// Version and durable settings of each contestant.
    pub settings: BTreeMap<Name, BTreeMap<String, String>>,
    /// Syncs per append at one caller, or why they were not counted.
    pub syncs: BTreeMap<Name, Result<f64, String>>,
    /// The contestants that could not take part, each with its reason.
    pub missing: Vec<String>,
    /// The figures.
    pub comparisons: Vec<Comparison>,
}

/// The ratio that we want to reach, by opponent and callers; none where neither side is ours.
fn aim(ours: Name, theirs: Name, callers: usize) -> Option<f64> {
    match (theirs, callers) {
        _ if !matches!(ours, Name::Keeper | Name::Switchboard | Name::Life) => None,
        (Name::Postgres, 1) => Some(0.8),
        (Name::Postgres, 16) => Some(1.2),
        (Name::Postgres, 64) => Some(1.5),
        (Name::Umadb, 1) => Some(1.5),
        (Name::Umadb, 16 | 64) => Some(1.3),
        (Name::Nats, 16 | 64) => Some(5.0),
        (Name::Restate, _) => Some(10.0),
        _ => None,
    }
}

/// The aim: the CPU time per command of their servers, by that of ours. `None` where there is no aim.
fn cpu_aim(ours: Name, theirs: Name) -> Option<f64> {
    matches!((ours, theirs), (Name::Life, Name::Restate)).then_some(20.0)
}

/// The aim, and "met" or "missed".
fn reached(aim: f64, is: f64) -> String {
    format!("{aim} {}", if is >= aim { "met" } else { "missed" })
}

/// The pairs of one mood, summed up.
struct Summary {
    mood: Mood,
    pairs: usize,
    ratio: Spread,
    ours: SideSummary,
    theirs: SideSummary,
    sync_micros: Spread,
    others_cpu: Spread,
}

impl Summary {
    /// CPU time of their servers by that of ours, per append; `None` if either side has no server.
    fn cpu_ratio(&self) -> Option<f64> {
        Some(self.theirs.server_micros? / self.ours.server_micros?.max(f64::EPSILON))
    }
}

struct SideSummary {
    rate: Spread,
    latency: Histogram<u64>,
    server_micros: Option<f64>,
    driver_micros: f64,
}

impl SideSummary {
    fn of<'a>(sides: impl Iterator<Item = &'a Side> + Clone) -> Option<Self> {
        let mut latency = sides.clone().next()?.tally.latency.clone();
        latency.reset();
        let (mut appends, mut server, mut driver, mut has_server) = (0, 0.0, 0.0, false);
        for side in sides.clone() {
            latency.add(&side.tally.latency).ok()?;
            appends += side.tally.appends;
            driver += side.driver_cpu.as_secs_f64();
            has_server |= side.server_cpu.is_some();
            server += side.server_cpu.unwrap_or_default().as_secs_f64();
        }
        let micros = |seconds: f64| seconds * 1e6 / appends.max(1) as f64;
        Some(Self {
            rate: Spread::of(sides.map(|side| side.tally.rate()))?,
            latency,
            server_micros: has_server.then(|| micros(server)),
            driver_micros: micros(driver),
        })
    }

    fn cpu_micros(&self) -> f64 {
        self.server_micros.unwrap_or(0.0) + self.driver_micros
    }

    fn micros_at(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e3
    }

    fn json(&self) -> Value {
        json!({
            "appends_per_second": spread(&self.rate),
            "latency_us": { "p50": self.micros_at(0.5), "p99": self.micros_at(0.99), "max": self.latency.max() as f64 / 1e3 },
            "cpu_us_per_append": { "server": self.server_micros, "driver": self.driver_micros, "sum": self.cpu_micros() },
        })
    }
}

impl Comparison {
    fn summaries(&self) -> Vec<Summary> {
        [Mood::Fast, Mood::Slow, Mood::Mixed].into_iter().filter_map(|mood| self.summary(mood)).collect()
    }

    fn summary(&self, mood: Mood) -> Option<Summary> {
        let pairs = self.pairs.iter().filter(move |pair| pair.mood == mood);
        Some(Summary {
            mood,
            pairs: pairs.clone().count(),
            ratio: Spread::of(pairs.clone().map(Pair::ratio))?,
            ours: SideSummary::of(pairs.clone().map(|pair| &pair.ours))?,
            theirs: SideSummary::of(pairs.clone().map(|pair| &pair.theirs))?,
            others_cpu: Spread::of(pairs.clone().flat_map(|pair| [pair.ours.others_cpu, pair.theirs.others_cpu]))?,
            sync_micros: Spread::of(pairs.flat_map(|pair| pair.probes).map(|probe| probe.p50.as_secs_f64() * 1e6))?,
        })
    }

    /// The table's lines, one a mood. Without a heading, so that they can be printed as they come.
    pub fn lines(&self) -> String {
        let mut lines = String::new();
        for summary in self.summaries() {
            let Summary { mood, pairs, ratio, ours, theirs, sync_micros, others_cpu } = &summary;
            let ratio = match mood {
                Mood::Mixed => "not compared".to_owned(),
                _ => format!("{:.2} [{:.2}-{:.2}]", ratio.p50, ratio.p25, ratio.p75),
            };
            let latency =
                |side: &SideSummary| format!("{:.2}/{:.2}", side.micros_at(0.5) / 1e3, side.micros_at(0.99) / 1e3);
            let cpu = |side: &SideSummary| match side.server_micros {
                Some(server) => format!("{server:.0}+{:.0}", side.driver_micros),
                None => format!("{:.0}", side.driver_micros),
            };
            // A string takes any write.
            let _ = writeln!(
                lines,
                "{:<16} {:<8} {:>7} {:<5} {:>5} {:>8.0} {:>8.0}  {:<17} {:<10} {:>12} {:>12} {:>9} {:>9} {:>7.0} {:>6.0}%",
                self.ours.text(),
                self.theirs.text(),
                self.callers,
                mood.name(),
                pairs,
                ours.rate.p50,
                theirs.rate.p50,
                ratio,
                self.verdict(&summary),
                latency(ours),
                latency(theirs),
                cpu(ours),
                cpu(theirs),
                sync_micros.p50,
                others_cpu.p50 * 100.0,
            );
            if let Some((aim, ratio)) = cpu_aim(self.ours, self.theirs).zip(summary.cpu_ratio()) {
                let _ =
                    writeln!(lines, "{:<16} server CPU, theirs by ours: {ratio:.1}, aim {}", "", reached(aim, ratio));
            }
        }
        lines
    }

    fn verdict(&self, summary: &Summary) -> String {
        match aim(self.ours, self.theirs, self.callers) {
            Some(aim) if summary.mood == Mood::Mixed => format!("{aim}"),
            Some(aim) => reached(aim, summary.ratio.p50),
            None => "-".to_owned(),
        }
    }

    fn json(&self) -> Value {
        let moods = self.summaries().into_iter().map(|summary| {
            let of_mood = json!({
                "pairs": summary.pairs,
                "ratio": spread(&summary.ratio),
                "server_cpu_ratio": summary.cpu_ratio(),
                "ours": summary.ours.json(),
                "theirs": summary.theirs.json(),
                "sync_us": spread(&summary.sync_micros),
                "others_cpu": spread(&summary.others_cpu),
            });
            (summary.mood.name().to_owned(), of_mood)
        });
        json!({
            "ours": self.ours.text(),
            "theirs": self.theirs.text(),
            "callers": self.callers,
            "aim": aim(self.ours, self.theirs, self.callers),
            "server_cpu_aim": cpu_aim(self.ours, self.theirs),
            "by_mood": moods.collect::<serde_json::Map<_, _>>(),
            "pairs": self.pairs.iter().map(pair).collect::<Vec<_>>(),
        })
    }
}

/// The table's heading.
pub fn heading() -> String {
    format!(
        "{:<16} {:<8} {:>7} {:<5} {:>5} {:>8} {:>8}  {:<17} {:<10} {:>12} {:>12} {:>9} {:>9} {:>7} {:>7}",
        "ours",
        "theirs",
        "callers",
        "disk",
        "pairs",
        "ours/s",
        "theirs/s",
        "ratio [p25-p75]",
        "aim",
        "ms p50/p99",
        "theirs",
        "CPU us",
        "theirs",
        "sync us",
        "others",
    )
}

impl Report {
    /// The text above the table: machine, method, versions, syncs, absences.
    pub fn preamble(&self) -> String {
        let mut text = String::new();
        let facts = |facts: &BTreeMap<String, String>| {
            facts.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
        };
        let _ = writeln!(text, "machine: {}", facts(&self.machine));
        let _ = writeln!(text, "method: {}", facts(&self.method));
        for (name, settings) in &self.settings {
            let _ = writeln!(text, "{}: {}", name.text(), facts(settings));
        }
        for (name, syncs) in &self.syncs {
            let _ = match syncs {
                Ok(syncs) => writeln!(text, "{}: {syncs:.2} syncs per acknowledged append at one caller", name.text()),
                Err(why) => writeln!(text, "{}: syncs not counted: {why}", name.text()),
            };
        }
        for missing in &self.missing {
            let _ = writeln!(text, "MISSING {missing}");
        }
        text
    }

    /// Everything, pairs included.
    pub fn json(&self) -> Value {
        let named = |(name, settings): (&Name, &BTreeMap<String, String>)| (name.text().to_owned(), json!(settings));
        let syncs = self.syncs.iter().map(|(name, syncs)| (name.text().to_owned(), json!(syncs.as_ref().ok())));
        json!({
            "machine": self.machine,
            "method": self.method,
            "settings": self.settings.iter().map(named).collect::<serde_json::Map<_, _>>(),
            "syncs_per_append": syncs.collect::<serde_json::Map<_, _>>(),
            "missing": self.missing,
            "comparisons": self.comparisons.iter().map(Comparison::json).collect::<Vec<_>>(),
        })
    }
}

fn spread(spread: &Spread) -> Value {
    json!({ "p25": spread.p25, "p50": spread.p50, "p75": spread.p75 })
}

fn pair(pair: &Pair) -> Value {
    let side = |side: &Side| {
        json!({
            "appends": side.tally.appends,
            "seconds": side.tally.elapsed.as_secs_f64(),
            "server_cpu_seconds": side.server_cpu.map(|cpu| cpu.as_secs_f64()),
            "driver_cpu_seconds": side.driver_cpu.as_secs_f64(),
            "others_cpu": side.others_cpu,
        })
    };
    json!({
        "mood": pair.mood.name(),
        "ours_first": pair.ours_first,
        "ratio": pair.ratio(),
        "sync_p50_us": pair.probes.map(|probe| probe.p50.as_secs_f64() * 1e6),
        "sync_p99_us": pair.probes.map(|probe| probe.p99.as_secs_f64() * 1e6),
        "ours": side(&pair.ours),
        "theirs": side(&pair.theirs),
    })
}
