//! The tables of the simulated days: columns, rows and verdicts.

pub mod published;

use switchboard_tests::field::{made::Scenario, score::Score};

/// A column: its heading, its number of decimals, and the function that reads its figure.
type Column = (&'static str, usize, fn(&Figures) -> f64);

/// The score of one run, and its ratios to the bound and to first come.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// The score of the run in its own units.
    pub score: Score,
    /// Customer-minutes interrupted, divided by the clairvoyant bound.
    pub over_bound: f64,
    /// Customer-minutes interrupted, divided by those of first come, nearest crew.
    pub over_first: f64,
}

const COLUMNS: [Column; 14] = [
    ("on time %", 1, |figures| figures.score.on_time),
    ("mean min", 1, |figures| figures.score.mean),
    ("p95", 0, |figures| figures.score.p95),
    ("CMI/LB", 2, |figures| figures.over_bound),
    ("CMI/first", 2, |figures| figures.over_first),
    ("priority %", 1, |figures| figures.score.priority),
    ("oldest h", 1, |figures| figures.score.oldest),
    ("wait h", 1, |figures| figures.score.waited),
    ("offers", 3, |figures| figures.score.offers),
    ("revoked", 3, |figures| figures.score.revoked),
    ("A-B-A", 0, |figures| figures.score.to_and_fro),
    ("Jain", 2, |figures| figures.score.jain),
    ("district", 2, |figures| figures.score.district),
    ("left", 0, |figures| figures.score.left),
];

/// One dispatcher over all seeds.
#[derive(Clone, Debug)]
pub struct Line {
    name: &'static str,
    runs: Vec<Figures>,
    /// The hash of the choices of each run.
    decisions: Vec<u64>,
}

impl Line {
    /// Creates a line without runs.
    pub fn new(name: &'static str) -> Self {
        Self { name, runs: Vec::new(), decisions: Vec::new() }
    }

    /// Adds a run. `bound` and `first_come` are customer-minutes in the same world.
    pub fn add(&mut self, score: &Score, decisions: u64, bound: f64, first_come: f64) {
        self.decisions.push(decisions);
        let over_bound = score.cmi / bound;
        self.runs.push(Figures { score: *score, over_bound, over_first: score.cmi / first_come });
    }

    /// Returns the mean over the seeds.
    pub fn mean(&self, of: fn(&Figures) -> f64) -> f64 {
        self.runs.iter().map(of).sum::<f64>() / self.runs.len().max(1) as f64
    }

    fn cell(&self, (_, decimals, of): Column) -> String {
        let values = || self.runs.iter().map(of);
        let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        format!("{:.decimals$} +-{:.decimals$}", self.mean(of), (high - low) / 2.0)
    }
}

/// Prints the scenario's table: the measured lines, the hashes of their choices, and the rows of the design.
pub fn print(scenario: Scenario, lines: &[Line]) {
    let (tickets, crews) = scenario.size();
    println!("\n## {}: {tickets} tickets, {crews} crews", scenario.name());
    print!("{:<26}", "policy");
    COLUMNS.iter().for_each(|(heading, _, _)| print!(" {heading:>13}"));
    println!();
    for line in lines {
        print!("{:<26}", line.name);
        COLUMNS.iter().for_each(|column| print!(" {:>13}", line.cell(*column)));
        println!();
    }
    for line in lines {
        let decisions: Vec<String> = line.decisions.iter().map(|hash| format!("{hash:016x}")).collect();
        println!("decisions of {}: {}", line.name, decisions.join(" "));
    }
    println!("of the design:");
    for row in published::ROWS.iter().filter(|row| row.scenario == scenario) {
        print!("  {:<24}", row.policy);
        let figures = [row.on_time, row.mean, row.p95, row.over_bound];
        figures.iter().zip(COLUMNS).for_each(|(figure, (_, decimals, _))| print!(" {figure:>13.decimals$}"));
        println!(" {:>13} {:>13.1}", "", row.priority);
    }
}

/// Returns the word for the result of an aim or a guard.
pub fn verdict(kept: bool) -> &'static str {
    if kept { "pass" } else { "FAIL" }
}
