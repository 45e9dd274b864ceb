//! Units as types: a figure cannot cross a module's edge without its unit.

use serde::{Deserialize, Serialize};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);
    };
}

unit!(
    /// US dollars.
    Usd
);
unit!(
    /// US dollars for each request.
    UsdPerRequest
);
unit!(
    /// US dollars for each month.
    UsdPerMonth
);
unit!(
    /// Requests for each month.
    RequestsPerMonth
);
unit!(
    /// Bytes.
    Bytes
);
unit!(
    /// Bytes moved in a second.
    BytesPerSecond
);
unit!(
    /// Tokens made in a second.
    TokensPerSecond
);

/// Whole months.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Months(pub u32);
