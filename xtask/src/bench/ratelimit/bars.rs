//! What rate limits should cost at most, and what they do.

use anyhow::Result;
use serde_json::json;

use super::{super::table::grouped, figures::Figures, number};

/// On which side of a bar the figure should be.
#[derive(Clone, Copy)]
enum Side {
    AtMost,
    AtLeast,
}

/// Something measured and what it should be.
pub(super) struct Bar {
    what: String,
    measured: f64,
    side: Side,
    bound: f64,
    unit: &'static str,
}

impl Bar {
    pub(super) fn holds(&self) -> bool {
        match self.side {
            Side::AtMost => self.measured <= self.bound,
            Side::AtLeast => self.measured >= self.bound,
        }
    }

    pub(super) fn titles() -> Vec<String> {
        ["", "Bar", "Measured", ""].map(str::to_owned).into()
    }

    pub(super) fn cells(&self) -> Vec<String> {
        let sign = match self.side {
            Side::AtMost => '≤',
            Side::AtLeast => '≥',
        };
        let figure = |number: f64| format!("{}{}", short(number), self.unit);
        let verdict = if self.holds() {
            "holds".to_owned()
        } else {
            format!("missed by {:.0} %", 100.0 * (self.measured / self.bound - 1.0).abs())
        };
        vec![self.what.clone(), format!("{sign} {}", figure(self.bound)), figure(self.measured), verdict]
    }
}

/// Two or three digits that matter.
fn short(number: f64) -> String {
    match number.abs() {
        0.0 => "0".to_owned(),
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 0.1 => format!("{number:.2}"),
        _ => format!("{number:.4}"),
    }
}

fn at_most(what: impl Into<String>, measured: f64, bound: f64, unit: &'static str) -> Bar {
    Bar { what: what.into(), measured, side: Side::AtMost, bound, unit }
}

fn at_least(what: impl Into<String>, measured: f64, bound: f64, unit: &'static str) -> Bar {
    Bar { what: what.into(), measured, side: Side::AtLeast, bound, unit }
}

/// Every bar that can be measured here.
pub(super) fn bars(figures: &Figures) -> Result<Vec<Bar>> {
    let mut bars = decisions(figures)?;
    bars.extend(refusals(figures)?);
    bars.extend(memory(figures)?);
    bars.extend(in_process(figures)?);
    bars.extend(outage(figures)?);
    Ok(bars)
}

fn decisions(figures: &Figures) -> Result<Vec<Bar>> {
    let busy = |work| number(figures.load(work, "own", 1)?, "busy_to_incr");
    let speed = |work| number(figures.load(work, "own", 1)?, "per_second_to_incr");
    let deep = number(figures.load("log_admitted", "own", 16)?, "per_second_to_incr")?;
    let (log, three, apart) = ("log_admitted", "three_admitted", "three_apart");
    let calls = figures.of("calls", &[("work", json!(three))])?;
    Ok(vec![
        at_most("one policy: CPU of Redis, of INCR's", busy(log)?, 2.2, " ×"),
        at_most("one policy: CPU of Redis, of GCRA's", busy(log)? / busy("gcra_admitted")?, 1.15, " ×"),
        at_least("one policy: decisions a second, of INCR's", speed(log)?, 0.45, " ×"),
        at_least("the same, 16 at once on each connection", deep, 0.10, " ×"),
        at_most("three policies: CPU of Redis, of INCR's", busy(three)?, 3.4, " ×"),
        at_most("three policies: CPU of Redis, of three decisions'", busy(three)? / busy(apart)?, 0.6, " ×"),
        at_least(
            "three policies: decisions a second, of three after another",
            speed(three)? / speed(apart)?,
            1.6,
            " ×",
        ),
        at_most("three policies: round trips", number(calls, "calls")?, 1.0, ""),
    ])
}

fn refusals(figures: &Figures) -> Result<Vec<Bar>> {
    let busy = |work| number(figures.load(work, "own", 1)?, "busy_to_incr");
    let recall = figures.nanoseconds("deny_cache/recall")? / figures.nanoseconds("governor/keyed")?;
    let flood = number(figures.of("flood", &[])?, "asked_per_refused")?;
    Ok(vec![
        at_most(
            "refused by one policy: CPU of Redis, of an admission's",
            busy("log_refused")? / busy("log_admitted")?,
            1.0,
            " ×",
        ),
        at_most(
            "refused by one of three: the same",
            busy("three_refused")? / busy("three_admitted")?,
            1.0,
            " ×",
        ),
        at_most("remembered refusal, of governor by key", recall, 1.0, " ×"),
        at_most("flood of 100 to 1: Redis asked for each refusal", flood, 0.02, ""),
    ])
}

fn memory(figures: &Figures) -> Result<Vec<Bar>> {
    let busy = |work| number(figures.load(work, "own", 1)?, "busy_to_incr");
    let mut bars = Vec::new();
    for (algorithm, name, entries, bound) in [
        ("log", "sliding log", 100, 15.0),
        ("log", "sliding log", 128, 15.0),
        ("log", "sliding log", 1_000, 110.0),
        ("log", "sliding log", 10_000, 110.0),
        ("compact", "compact log", 1_000, 4.2),
        ("compact", "compact log", 10_000, 4.2),
    ] {
        let line = figures.of("memory", &[("algorithm", json!(algorithm)), ("entries", json!(entries))])?;
        let what = format!("{name} of {}: memory for each", grouped(entries));
        bars.push(at_most(what, number(line, "bytes_per_entry")?, bound, " B"));
    }
    let compact = busy("compact_admitted")? / busy("log_admitted")?;
    bars.push(at_most("compact log: CPU of Redis, of the sliding log's", compact, 1.1, " ×"));
    for entries in [10_000, 100_000] {
        let worst = figures.most("trim", &[("entries", json!(entries))], "median_us")?;
        let what = format!("longest script, {} entries out of the window", grouped(entries));
        bars.push(at_most(what, worst, 200.0, " µs"));
    }
    Ok(bars)
}

fn in_process(figures: &Figures) -> Result<Vec<Bar>> {
    let one = figures.nanoseconds("local/policies/1")?;
    let three = figures.nanoseconds("local/policies/3")?;
    let governor = figures.nanoseconds("governor/keyed")?;
    Ok(vec![
        at_least("in process: decisions a second, of governor by key", governor / one, 0.4, " ×"),
        at_most("in process: three policies, of one", three / one, 3.0, " ×"),
    ])
}

fn outage(figures: &Figures) -> Result<Vec<Bar>> {
    let line = figures.of("outage", &[])?;
    Ok(vec![
        at_most("Redis silent: who waits, p99", number(line, "waiting_p99_us")? / 1e3, 25.0, " ms"),
        at_most(
            format!("Redis silent: how many wait, {} under way", line["under_way"]),
            number(line, "waited_most")?,
            20.0,
            "",
        ),
        at_most("Redis silent: all after them, p99", number(line, "alone_p99_us")?, 5.0, " µs"),
        at_most("Redis is back: used again after", number(line, "back_most_ms")? / 1e3, 1.0, " s"),
    ])
}

/// What is done each second, over connections of which each task has its own, and as the store shares them.
pub(super) fn loads(figures: &Figures) -> Result<Vec<Vec<String>>> {
    let titles =
        ["50 at once", "a second", "of INCR's", "CPU of Redis", "of INCR's", "a second, shared", "of INCR's"];
    let mut rows = vec![titles.map(str::to_owned).to_vec()];
    for (work, name) in [
        ("log_admitted", "one policy, admitted"),
        ("log_refused", "one policy, refused"),
        ("three_admitted", "three policies, admitted"),
        ("three_refused", "three policies, refused by the last"),
        ("three_apart", "three decisions of one policy, admitted"),
        ("gcra_admitted", "one policy by GCRA, admitted"),
        ("compact_admitted", "one policy by compact log, admitted"),
    ] {
        let (own, shared) = (figures.load(work, "own", 1)?, figures.load(work, "shared", 1)?);
        rows.push(vec![
            name.to_owned(),
            thousands(number(own, "per_second")?),
            format!("{} ×", short(number(own, "per_second_to_incr")?)),
            format!("{} µs", short(number(own, "busy_us")?)),
            format!("{} ×", short(number(own, "busy_to_incr")?)),
            thousands(number(shared, "per_second")?),
            format!("{} ×", short(number(shared, "per_second_to_incr")?)),
        ]);
    }
    Ok(rows)
}

fn thousands(number: f64) -> String {
    format!("{:.1} k", number / 1e3)
}

#[cfg(test)]
mod tests {
    use super::{at_least, at_most};

    #[test]
    fn a_bar_tells_by_how_much_it_is_missed() {
        let verdict = |bar: super::Bar| (bar.holds(), bar.cells()[1..].join(" / "));
        assert_eq!(verdict(at_most("", 2.2, 2.2, " ×")), (true, "≤ 2.20 × / 2.20 × / holds".into()));
        assert_eq!(
            verdict(at_most("", 250.0, 200.0, " µs")),
            (false, "≤ 200 µs / 250 µs / missed by 25 %".into())
        );
        assert_eq!(
            verdict(at_least("", 0.36, 0.45, " ×")),
            (false, "≥ 0.45 × / 0.36 × / missed by 20 %".into())
        );
    }
}
