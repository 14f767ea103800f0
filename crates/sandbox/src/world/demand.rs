//! How much is bought, of what, and when.
//!
//! The numbers are fitted to the data set "UCI Online Retail (CC BY 4.0)", a 40,000 row sample with 3,178
//! stock codes that were sold. Counts of the sample are thinned to 7.4 % of the shop's lines; the fits
//! correct for that.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand_distr::{Exp, Gamma, LogNormal, Normal};

use super::calendar;

/// Median of order lines per SKU and day: zero-truncated Poisson log-normal, by maximum likelihood.
const LINES_PER_DAY_MEDIAN: f64 = 0.209;
/// Its standard deviation in logarithms. A mean interval between demands (ADI) of 5.3 days follows for the
/// median SKU, 1.6 and 23 days for the outer tenths; 30 % of SKUs sell nothing in a given week.
const LINES_PER_DAY_SIGMA: f64 = 1.215;
/// Shape of the day's chance (gamma with mean 1) that makes demand lumpier than Poisson: Var(lines) = m +
/// m²/2.02.
const DAY_SHAPE: f64 = 2.02;
/// Shares of lines of 1..=6 units. The third of lines above that are wholesale packs, which a marketplace
/// does not see.
const UNITS_SHARES: [f64; 6] = [0.414, 0.225, 0.105, 0.110, 0.033, 0.113];
/// Lines cluster around 13:34 with a deviation of 2 h 25 min.
const HOUR_MEAN: f64 = 13.57;
const HOUR_SIGMA: f64 = 2.41;
/// 1.72 % of lines are taken back; 23 of the 65 whose purchase is in the sample within a fortnight, while a
/// parcel of a marketplace may still be under way (a cancellation), the others later (a return).
pub(crate) const CANCELLED_SHARE: f64 = 0.0061;
/// Lines that come back after delivery: the rest of those that are taken back.
pub(crate) const RETURNED_SHARE: f64 = 0.0111;

/// SKUs that nobody ever buys. Own choice: a data set of sales cannot know them.
const NEVER_SOLD_SHARE: f64 = 0.08;
/// Lines at any hour rather than around midday. Own choice: the shop of the data set is closed at night.
const ANY_HOUR_SHARE: f64 = 0.2;
/// Lines that join the basket before them. Own choice: in a thinned sample baskets are torn apart.
const SAME_BASKET_SHARE: f64 = 0.25;

/// Units per line on average, for planning of supplies.
pub(crate) const MEAN_UNITS: f64 = 2.46;

/// One order line before it meets the stock.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) at: DateTime<Utc>,
    pub(crate) chrt_id: i64,
    pub(crate) units: u32,
    pub(crate) joins_previous_basket: bool,
}

/// The long-run demand of one SKU in lines per day.
pub(crate) fn draw_rate(rng: &mut impl Rng) -> f64 {
    if rng.random_bool(NEVER_SOLD_SHARE) {
        return 0.0;
    }
    LogNormal::new(LINES_PER_DAY_MEDIAN.ln(), LINES_PER_DAY_SIGMA)
        .expect("the fitted deviation is positive")
        .sample(rng)
}

/// The lines of all SKUs in `from..until`, which lies within one Moscow day, in order of time. `pace`
/// multiplies the rates.
pub(crate) fn plan(
    rates: &[(i64, f64)],
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    pace: f64,
    rng: &mut impl Rng,
) -> Vec<Line> {
    let midnight = calendar::start_of(calendar::day_of(from));
    let chance = Gamma::new(DAY_SHAPE, 1.0 / DAY_SHAPE).expect("the fitted shape is positive");
    let units = WeightedIndex::new(UNITS_SHARES).expect("the fitted shares are positive");
    let mut lines = Vec::new();
    for &(chrt_id, rate) in rates {
        let today = rate * pace * chance.sample(rng);
        for _ in 0..poisson(today, rng) {
            let at = midnight + time_of_day(pace, rng);
            let bought =
                (1..).zip(0..UNITS_SHARES.len()).nth(units.sample(rng)).map_or(1, |(count, _)| count);
            if from <= at && at < until {
                lines.push(Line { at, chrt_id, units: bought, joins_previous_basket: false });
            }
        }
    }
    lines.sort_by_key(|line| (line.at, line.chrt_id));
    for next in 1..lines.len() {
        if rng.random_bool(SAME_BASKET_SHARE) {
            lines[next].at = lines[next - 1].at;
            lines[next].joins_previous_basket = true;
        }
    }
    lines
}

/// Counts events of rate `mean` in a unit of time by adding up the gaps between them.
fn poisson(mean: f64, rng: &mut impl Rng) -> u32 {
    let Ok(gap) = Exp::new(mean) else { return 0 };
    let mut elapsed: f64 = gap.sample(rng);
    let mut count = 0;
    while elapsed < 1.0 {
        count += 1;
        elapsed += gap.sample(rng);
    }
    count
}

/// At more than the real pace hours of the day lose their meaning, and lines come at any of them.
fn time_of_day(pace: f64, rng: &mut impl Rng) -> TimeDelta {
    let hours = if pace > 1.0 || rng.random_bool(ANY_HOUR_SHARE) {
        rng.random_range(0.0..24.0)
    } else {
        let midday = Normal::new(HOUR_MEAN, HOUR_SIGMA).expect("the fitted deviation is positive");
        midday.sample(rng).clamp(0.0, 23.99)
    };
    whole_seconds(hours * 3600.0)
}

/// A length of time without fractions of a second, as the marketplace's stamps have none.
pub(crate) fn whole_seconds(seconds: f64) -> TimeDelta {
    let seconds = std::time::Duration::from_secs_f64(seconds.max(0.0)).as_secs();
    TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn days(count: u64) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
        let first = NaiveDate::from_ymd_opt(2026, 5, 1).expect("a date");
        (0..count).map(move |n| {
            let from = calendar::start_of(first + chrono::Days::new(n));
            (from, calendar::end_of_day(from))
        })
    }

    #[test]
    fn the_same_seed_plans_the_same_lines() {
        let rates = [(1, 2.0), (2, 0.3)];
        let (from, until) = days(1).next().expect("a day");
        let plan = |seed| plan(&rates, from, until, 20.0, &mut StdRng::seed_from_u64(seed));
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
    }

    #[test]
    fn a_sku_of_median_rate_is_bought_on_about_every_fifth_day() {
        let mut rng = StdRng::seed_from_u64(1);
        let sold = days(5000)
            .filter(|&(from, until)| {
                !plan(&[(1, LINES_PER_DAY_MEDIAN)], from, until, 1.0, &mut rng).is_empty()
            })
            .count();
        assert!((800..1000).contains(&sold), "{sold} of 5000 days");
    }

    #[test]
    fn rates_spread_like_the_data_set() {
        let mut rng = StdRng::seed_from_u64(2);
        let rates: Vec<f64> = (0..10_000).map(|_| draw_rate(&mut rng)).collect();
        let never = rates.iter().filter(|rate| **rate == 0.0).count();
        let daily = rates.iter().filter(|rate| **rate > 1.0).count();
        assert!((700..900).contains(&never), "{never} are never sold");
        assert!((750..1050).contains(&daily), "{daily} sell more than once a day");
    }

    #[test]
    fn lines_stay_inside_their_window_and_carry_the_fitted_mean_of_units() {
        let mut rng = StdRng::seed_from_u64(3);
        let (midnight, until) = days(1).next().expect("a day");
        let from = midnight + TimeDelta::hours(12);
        let lines = plan(&[(1, 4000.0), (2, 4000.0)], from, until, 1.0, &mut rng);
        assert!(lines.iter().all(|line| from <= line.at && line.at < until));
        assert!(lines.is_sorted_by_key(|line| line.at));
        let units: u32 = lines.iter().map(|line| line.units).sum();
        let mean = f64::from(units) / f64::from(u32::try_from(lines.len()).expect("a small number"));
        assert!((mean - MEAN_UNITS).abs() < 0.15, "{mean} units per line");
    }
}
