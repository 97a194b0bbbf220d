//! The dispatcher's search on published routing problems, compared with their best known values, and with PyVRP if it
//! is installed.
//!
//! A limit is the processor time of the one thread that searches, so that other load on the machine does not count. A
//! slow implementation of the rules, which shares no code with the search, checks every result. A result that breaks
//! the rules is printed as an error and enters no figure.
//!
//! `SECONDS_ROUTING=` lists the limits (1,5). `INSTANCES=` is the number of instances of each set (all). `EACH=1`
//! prints a line for each instance. `PYVRP_PYTHON=` names the interpreter that has PyVRP.

mod solomon;
mod trsp;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::time::{ClockId, clock_gettime};
use switchboard_dispatcher::search::{Model, Search, Settings};
use switchboard_tests::disk::skipped;

use crate::Outcome;

/// The seed of the search, the same for every instance and limit. The choice is arbitrary.
const SEED: u64 = 1;

/// The number of iterations between two readings of the thread's processor time.
const ITERATIONS_PER_LOOK: u64 = 100;

/// A published problem: its file format, its best known values and its rules.
trait Problem: Model + Sized {
    /// The folder of the instances; also the name of the set in the table.
    const FOLDER: &str;
    /// The column of `best_known.csv` that has the best known values.
    const BEST: &str;

    /// Reads one instance file.
    fn read(text: &str) -> Outcome<Self>;

    /// Returns the settings of the search for this problem.
    fn settings() -> Settings;

    /// Checks the routes against the rules, and returns their cost in the unit of the best known values. Uses none of
    /// the model's cached figures.
    ///
    /// # Errors
    /// When the routes break a rule.
    fn check(&self, routes: &[Vec<u32>]) -> Result<f64, String>;
}

/// The result for one instance within one limit.
struct Solved {
    /// The gap to the best known value in per cent.
    gap: f64,
    /// Iterations per second of processor time.
    iterations: f64,
    /// The gap of PyVRP in per cent; `None` if it has no result.
    pyvrp: Option<f64>,
}

/// Prints the tables of all sets that are in `data`.
///
/// # Errors
/// When an instance, the best known values or `SECONDS_ROUTING` cannot be read.
pub fn run(data: &Path) -> Outcome<()> {
    let limits: Vec<f64> = crate::setting("SECONDS_ROUTING", "1,5".to_owned())
        .split(',')
        .map(|limit| limit.trim().parse::<f64>())
        .collect::<Result<_, _>>()?;
    println!("\n# Search: published routing problems, one thread, its processor time as the limit");
    table::<solomon::Solomon>(data, &limits, true)?;
    table::<trsp::Technicians>(data, &limits, false)
}

fn table<P: Problem>(data: &Path, limits: &[f64], compared: bool) -> Outcome<()> {
    let folder = data.join(P::FOLDER);
    if !folder.is_dir() {
        skipped(&format!("{} is not here; set SWITCHBOARD_DEMAND to the folder that holds it", folder.display()));
        return Ok(());
    }
    let best = best_known(&folder.join("best_known.csv"), P::BEST)?;
    let names = chosen(best.keys().cloned().collect(), crate::setting("INSTANCES", usize::MAX));
    let (mut columns, mut beaten) = (Vec::new(), Vec::new());
    for &limit in limits {
        let pyvrp = if compared { pyvrp(&folder, &names, limit) } else { BTreeMap::new() };
        let mut solved = BTreeMap::<String, Vec<Solved>>::new();
        for name in &names {
            let text = std::fs::read_to_string(folder.join(format!("{name}.txt")))?;
            let problem = P::read(&text).map_err(|error| format!("{name}: {error}"))?;
            match solve(&problem, limit) {
                Err(error) => println!("ERROR: {name}, {limit} s: no valid plan: {error}"),
                Ok((cost, iterations)) => {
                    let gap = |cost: f64| (cost / best[name] - 1.0) * 100.0;
                    // Published costs are rounded to one decimal, so the comparison rounds, too.
                    if format!("{cost:.1}").parse::<f64>()? < best[name] {
                        beaten.push(format!("{name} in {limit} s: {cost:.1}, best known {:.1}", best[name]));
                    }
                    let pyvrp = pyvrp.get(name).copied().map(gap);
                    solved.entry(class(name)).or_default().push(Solved { gap: gap(cost), iterations, pyvrp });
                    if crate::setting("EACH", 0) == 1 {
                        println!("{name} {limit} s: {cost:.1}, best known {:.1}, gap {:.2} %", best[name], gap(cost));
                    }
                }
            }
        }
        columns.push((limit, solved));
    }
    print(P::FOLDER, &columns);
    for line in beaten {
        println!("beaten: {line}");
    }
    Ok(())
}

fn print(set: &str, columns: &[(f64, BTreeMap<String, Vec<Solved>>)]) {
    println!("\n## {set}: mean gap to the best known value, %, and iterations/s");
    let head: Vec<_> = columns
        .iter()
        .map(|(limit, _)| format!(" {:>9} {:>9} {:>9}", format!("{limit} s"), "PyVRP", "iter/s"))
        .collect();
    println!("{:<6} {:>3}{}", "class", "n", head.concat());
    let mut classes: Vec<_> = columns.iter().flat_map(|(_, solved)| solved.keys().map(String::as_str)).collect();
    classes.sort_unstable();
    classes.dedup();
    for class in classes.into_iter().chain(["all"]) {
        let of = |solved: &'_ BTreeMap<String, Vec<Solved>>| -> (usize, String) {
            let rows: Vec<_> =
                solved.iter().filter(|(name, _)| class == "all" || *name == class).flat_map(|(_, rows)| rows).collect();
            let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
            let gap = mean(rows.iter().map(|row| row.gap).collect());
            let speed = mean(rows.iter().map(|row| row.iterations).collect());
            let theirs: Vec<f64> = rows.iter().filter_map(|row| row.pyvrp).collect();
            let theirs = if theirs.is_empty() { "-".to_owned() } else { format!("{:.2}", mean(theirs)) };
            (rows.len(), format!(" {gap:>9.2} {theirs:>9} {speed:>9.0}"))
        };
        let cells: Vec<_> = columns.iter().map(|(_, solved)| of(solved)).collect();
        let n = cells.iter().map(|(n, _)| *n).max().unwrap_or_default();
        println!("{class:<6} {n:>3}{}", cells.into_iter().map(|(_, cell)| cell).collect::<String>());
    }
}

/// Searches for `limit` seconds of this thread's processor time. Returns the checked cost, and iterations per second.
fn solve<P: Problem>(problem: &P, limit: f64) -> Result<(f64, f64), String> {
    let begun = processor_seconds();
    let mut search = Search::new(problem, SEED, P::settings());
    search.insert_missing();
    let (mut progress, mut iterations) = (0.0, 0);
    while progress < 1.0 {
        search.improve_at(progress, ITERATIONS_PER_LOOK);
        iterations += ITERATIONS_PER_LOOK;
        progress = (processor_seconds() - begun) / limit;
    }
    let spent = processor_seconds() - begun;
    let plan = search.best();
    if !plan.unplanned.is_empty() {
        return Err(format!("{} are not served", plan.unplanned.len()));
    }
    let cost = problem.check(&plan.routes)?;
    Ok((cost, iterations as f64 / spent))
}

/// Returns the processor time of this thread in seconds.
fn processor_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Returns for each job all other jobs, nearest first.
fn nearest(jobs: usize, distance: impl Fn(usize, usize) -> f64) -> Vec<Vec<u32>> {
    let mut near = Vec::with_capacity(jobs);
    for job in 0..jobs {
        let mut others: Vec<usize> = (0..jobs).filter(|other| *other != job).collect();
        others.sort_by(|a, b| distance(job, *a).total_cmp(&distance(job, *b)));
        near.push(others.into_iter().map(|other| other as u32).collect());
    }
    near
}

fn best_known(file: &Path, column: &str) -> Outcome<BTreeMap<String, f64>> {
    let mut reader = csv::Reader::from_path(file)?;
    let at = reader.headers()?.iter().position(|found| found == column);
    let at = at.ok_or_else(|| format!("{}: no column {column}", file.display()))?;
    let mut best = BTreeMap::new();
    for row in reader.records() {
        let row = row?;
        best.insert(row[0].to_owned(), row[at].parse()?);
    }
    Ok(best)
}

/// Returns at most `most` of the instances, at equal steps over the whole list.
fn chosen(names: Vec<String>, most: usize) -> Vec<String> {
    let step = names.len().div_ceil(most.clamp(1, names.len().max(1))).max(1);
    names.into_iter().step_by(step).collect()
}

/// Returns the class of an instance: `C1` for `C101`. The instances of a class were generated in the same way.
fn class(name: &str) -> String {
    let letters = name.chars().take_while(|c| c.is_alphabetic()).count();
    name.chars().take(letters + 1).collect()
}

/// Returns the costs that PyVRP finds on the same files within the same limit. Prints a message and returns none if
/// PyVRP is not installed or fails.
fn pyvrp(folder: &Path, names: &[String], limit: f64) -> BTreeMap<String, f64> {
    let python = crate::setting("PYVRP_PYTHON", "python3".to_owned());
    let is_there =
        Command::new(&python).args(["-c", "import pyvrp"]).output().is_ok_and(|output| output.status.success());
    if !is_there {
        println!("PyVRP is not installed for {python} (pip install pyvrp, or set PYVRP_PYTHON): its column is empty");
        return BTreeMap::new();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/pyvrp_solomon.py");
    let files: Vec<PathBuf> = names.iter().map(|name| folder.join(format!("{name}.txt"))).collect();
    let output = Command::new(&python).arg(script).arg(limit.to_string()).args(files).output();
    let text = match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        Ok(output) => {
            println!("ERROR: PyVRP failed: {}", String::from_utf8_lossy(&output.stderr).trim());
            return BTreeMap::new();
        }
        Err(error) => {
            println!("ERROR: PyVRP did not run: {error}");
            return BTreeMap::new();
        }
    };
    let rows = text.lines().filter_map(|line| line.split_once(','));
    rows.filter_map(|(name, cost)| Some((name.to_owned(), cost.parse().ok()?))).collect()
}
