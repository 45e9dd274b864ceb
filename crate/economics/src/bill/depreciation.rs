//! How hardware is written off. Information only: depreciation is not cash and enters no total; what it saves
//! in tax is shown beside the result, which is before tax.

use serde::Serialize;

use super::flow::{geometric, monthly_log_rate};
use crate::input::Scenario;
use crate::units::{Usd, UsdPerMonth};

/// Shares of the price that the tax office lets be written off in each year: five-year property, half-year
/// convention (MACRS; IRS Publication 946, table A-1).
pub const MACRS_FIVE_YEARS: [f64; 6] = [0.20, 0.32, 0.192, 0.1152, 0.1152, 0.0576];

/// How hardware of a price is written off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Depreciation {
    /// Straight line: (price − residual value) ÷ months of book life.
    pub straight_line: UsdPerMonth,
    /// MACRS, year by year.
    pub macrs: [Usd; 6],
    /// Value that MACRS leaves on the books at the end of each year.
    pub book_value: [Usd; 6],
    /// Present value of the tax that MACRS saves: Σ τ · D ÷ (1 + r)^year.
    pub macrs_shield: Usd,
    /// Present value of the tax that a straight line over five years saves.
    pub straight_line_shield: Usd,
    /// Present value of what the hardware still fetches at the horizon.
    pub residual_present: Usd,
    /// The same every month, worth as much as the hardware less its residual value.
    pub annuity: UsdPerMonth,
}

/// How hardware of a price is written off, with the scenario's residual share, book life, tax and hurdle rate.
pub fn depreciation(s: &Scenario, price: Usd) -> Depreciation {
    let f = &s.finance;
    let residual = s.edge.residual.0 * price.0;
    let macrs = MACRS_FIVE_YEARS.map(|share| Usd(share * price.0));
    let mut left = price.0;
    let book_value = macrs.map(|written_off| {
        left -= written_off.0;
        Usd(left)
    });
    let yearly = libm::log1p(f.hurdle_rate.0);
    let shield = |amounts: &[f64]| {
        let worth = |(year, amount): (usize, &f64)| amount * libm::exp(-yearly * (year as f64 + 1.0));
        Usd(f.tax_rate.0 * amounts.iter().enumerate().map(worth).sum::<f64>())
    };
    let rate = monthly_log_rate(f.hurdle_rate.0);
    let months = f64::from(f.horizon.0);
    let residual_present = residual * libm::exp(-rate * months);
    let annuity_factor = libm::exp(-rate) * geometric(-rate, months);
    Depreciation {
        straight_line: UsdPerMonth((price.0 - residual) / f64::from(f.book_life.0)),
        macrs,
        book_value,
        macrs_shield: shield(&macrs.map(|amount| amount.0)),
        straight_line_shield: shield(&[price.0 / 5.0; 5]),
        residual_present: Usd(residual_present),
        annuity: UsdPerMonth((price.0 - residual_present) / annuity_factor),
    }
}
