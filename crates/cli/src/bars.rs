//! Progress bars of long commands. They go to stderr and appear only on a terminal, so stdout stays clean.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Creates a bar over `total` items; hidden unless stderr is a terminal.
pub fn bar(total: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(5));
    let style = ProgressStyle::with_template("{prefix:>10} [{wide_bar}] {human_pos}/{human_len} {per_sec} eta {eta}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.set_prefix(what);
    bar
}

/// Creates a counter of items whose total is unknown; hidden unless stderr is a terminal.
pub fn counter(what: &'static str) -> ProgressBar {
    let counter = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
    if let Ok(style) = ProgressStyle::with_template("{prefix:>10} {human_pos} {per_sec}") {
        counter.set_style(style);
    }
    counter.set_prefix(what);
    counter
}
