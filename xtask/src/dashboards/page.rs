//! A page with what every panel shows, for people without Grafana.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Seen, Which};
use crate::monitoring::prometheus::Series;

/// Size of a graph in pixels.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 110.0;
/// Series that are drawn and named; more are told as a number.
const MOST_SERIES: usize = 6;
const COLOURS: [&str; MOST_SERIES] = ["#3274d9", "#56a64b", "#ff780a", "#e02f44", "#a352cc", "#2f9ea6"];

/// Writes the page.
pub(crate) fn write(file: &Path, which: Which, seen: &[Seen]) -> Result<()> {
    let mut text = String::from(HEAD);
    let name = which.name();
    write!(text, "<h1>Dashboards, as they show the set-up “{name}”</h1>")?;
    let mut dashboard = "";
    for one in seen {
        if one.dashboard != dashboard {
            if !dashboard.is_empty() {
                text.push_str("</div>");
            }
            dashboard = &one.dashboard;
            write!(text, "<h2>{}</h2><div class=panels>", escaped(dashboard))?;
        }
        panel(&mut text, one)?;
    }
    text.push_str("</div></body></html>\n");
    std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}

const HEAD: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Dashboards</title><style>\
    body{font:13px sans-serif;margin:16px;color:#222;max-width:1420px}h1{font-size:20px}h2{font-size:16px;margin:18px 0 6px}\
    .panels{display:grid;grid-template-columns:repeat(3,1fr);gap:8px}.panel{border:1px solid #ddd;padding:8px;overflow:hidden}\
    h3{font-size:13px;margin:0 0 4px}code{font-size:10px;color:#777;display:block;white-space:nowrap;overflow:hidden;\
    text-overflow:ellipsis}.number{font-size:26px}.series{font-size:11px}.empty{color:#999}</style><body>";

fn panel(text: &mut String, seen: &Seen) -> Result<()> {
    let unit = seen.panel.unit.as_deref();
    write!(text, "<div class=panel><h3>{}</h3>", escaped(&seen.panel.title))?;
    let all: Vec<(&Series, &str)> = seen
        .answers
        .iter()
        .zip(&seen.panel.queries)
        .flat_map(|(answer, query)| answer.series.iter().map(move |series| (series, query.legend.as_str())))
        .collect();
    if all.is_empty() {
        text.push_str("<p class=empty>no data</p>");
    }
    let is_graph = all.iter().any(|(series, _)| series.points.len() > 1);
    if is_graph {
        graph(text, &all)?;
    }
    for (place, (series, legend)) in all.iter().enumerate().take(MOST_SERIES) {
        let last = series.points.iter().rev().map(|(_, value)| *value).find(|value| value.is_finite());
        let last = last.map_or_else(|| "–".to_owned(), |value| shown(value, unit));
        if is_graph || all.len() > 1 {
            let colour = COLOURS[place];
            let name = escaped(&named(series, legend));
            write!(text, "<div class=series><span style=\"color:{colour}\">■</span> {name}: {last}</div>")?;
        } else {
            write!(text, "<div class=number>{last}</div>")?;
        }
    }
    if all.len() > MOST_SERIES {
        write!(text, "<div class=series>and {} more</div>", all.len() - MOST_SERIES)?;
    }
    for query in &seen.panel.queries {
        write!(text, "<code title=\"{0}\">{0}</code>", escaped(&query.text))?;
    }
    text.push_str("</div>");
    Ok(())
}

/// Lines over time, from zero or the least value to the largest.
fn graph(text: &mut String, all: &[(&Series, &str)]) -> Result<()> {
    let points = || all.iter().flat_map(|(series, _)| &series.points).filter(|(_, value)| value.is_finite());
    let least = |pick: fn(&(f64, f64)) -> f64| points().map(pick).fold(f64::INFINITY, f64::min);
    let most = |pick: fn(&(f64, f64)) -> f64| points().map(pick).fold(f64::NEG_INFINITY, f64::max);
    let (from, to) = (least(|point| point.0), most(|point| point.0));
    let (low, high) = (least(|point| point.1).min(0.0), most(|point| point.1));
    let scaled =
        |value: f64, low: f64, high: f64| if high > low { (value - low) / (high - low) } else { 0.5 };
    write!(text, "<svg width={WIDTH} height={HEIGHT} viewBox=\"0 0 {WIDTH} {HEIGHT}\">")?;
    for (place, (series, _)) in all.iter().enumerate().take(MOST_SERIES) {
        let mut line = String::new();
        for (at, value) in series.points.iter().filter(|(_, value)| value.is_finite()) {
            let x = scaled(*at, from, to) * WIDTH;
            let y = HEIGHT - 4.0 - scaled(*value, low, high) * (HEIGHT - 8.0);
            write!(line, "{x:.1},{y:.1} ")?;
        }
        write!(
            text,
            "<polyline fill=none stroke=\"{}\" stroke-width=1.5 points=\"{line}\"/>",
            COLOURS[place]
        )?;
    }
    text.push_str("</svg>");
    Ok(())
}

/// A series by its legend, or by its labels.
fn named(series: &Series, legend: &str) -> String {
    if legend.is_empty() || legend == "__auto" {
        let labels: Vec<_> = series.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        return labels.join(" ");
    }
    series.labels.iter().fold(legend.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value).replace(&format!("{{{{ {name} }}}}"), value)
    })
}

/// A value with its unit, for the units that dashboards use.
fn shown(value: f64, unit: Option<&str>) -> String {
    match unit {
        Some("percentunit") => format!("{:.1} %", value * 100.0),
        Some("percent") => format!("{value:.1} %"),
        Some("s") if value.abs() < 1.0 => format!("{:.1} ms", value * 1000.0),
        Some("s") => format!("{value:.1} s"),
        Some("bytes" | "decbytes") => format!("{:.1} MB", value / 1e6),
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        _ => format!("{value:.3}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
