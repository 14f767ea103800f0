//! Figures with decimals, from the integers that they are counted in.

/// Tenths as a number with one decimal.
pub(crate) fn tenths(value: i64) -> f64 {
    fraction(value, 10.0)
}

/// Thousandths as a number with three decimals.
pub(crate) fn thousandths(value: i64) -> f64 {
    fraction(value, 1000.0)
}

/// A quotient with one decimal, half up; 0.0 where there is nothing to divide by.
pub(crate) fn ratio_tenths(dividend: i64, divisor: i64) -> f64 {
    if divisor <= 0 { 0.0 } else { tenths((20 * dividend + divisor).div_euclid(2 * divisor)) }
}

#[expect(clippy::cast_precision_loss, reason = "figures stay far below 2^53")]
fn fraction(value: i64, unit: f64) -> f64 {
    value as f64 / unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_read_as_they_are_counted() {
        let json = |number: f64| serde_json::json!(number).to_string();
        assert_eq!(json(tenths(1005)), "100.5");
        assert_eq!(json(tenths(70)), "7.0");
        assert_eq!(json(thousandths(1286)), "1.286");
        assert_eq!(json(ratio_tenths(10, 3)), "3.3");
        assert_eq!(json(ratio_tenths(1, 20)), "0.1");
        assert_eq!(json(ratio_tenths(0, 0)), "0.0");
    }
}
