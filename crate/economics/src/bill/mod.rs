//! The bill of each deployment, line by line. Every total, chart and table is made from these lines.

mod depreciation;
mod downloads;
mod fleet;
mod flow;
mod line;
mod lines;
mod price;
mod spares;
mod total;

pub use depreciation::{Depreciation, MACRS_FIVE_YEARS, depreciation};
pub use downloads::{Downloads, downloads};
pub use fleet::service_time;
pub(crate) use fleet::{Fleet, devices_needed, exact_devices, offered_load};
pub use flow::{Basis, Flow, Total};
pub(crate) use flow::{Factors, monthly_log_rate};
pub use line::{Keys, Line, Payer};
pub use price::{engineering_cost, request_price};
pub(crate) use price::{peak_growth, peak_requests};
pub use spares::{expected_failures, poisson_cdf, share_failing, spares};
pub(crate) use total::operator_total;
pub use total::{Bill, BillLine, bill, totals, totals_at};
