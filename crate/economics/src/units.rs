//! Units as types: a figure cannot cross a module's edge without its unit.

use serde::{Deserialize, Serialize};

macro_rules! units {
    ($($doc:literal $name:ident;)*) => {$(
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);
    )*};
}

units! {
    "US dollars, nominal." Usd;
    "US dollars for each request." UsdPerRequest;
    "US dollars for each month." UsdPerMonth;
    "US dollars for each week of one engineer." UsdPerWeek;
    "US dollars for each second of compute." UsdPerSecond;
    "US dollars for a million tokens." UsdPerMillionTokens;
    "US dollars for a gigabyte (1e9 bytes) moved." UsdPerGigabyte;
    "US dollars for a kilowatt-hour." UsdPerKilowattHour;
    "Requests for each month." RequestsPerMonth;
    "Bytes." Bytes;
    "Gigabytes, 1e9 bytes." Gigabytes;
    "Bytes moved in a second." BytesPerSecond;
    "Tokens." Tokens;
    "Tokens made in a second." TokensPerSecond;
    "Seconds." Seconds;
    "Milliseconds." Milliseconds;
    "Watts." Watts;
    "Engineer-weeks." Weeks;
    "A part of a whole, 0.25 for 25 %; also a rate of change." Share;
    "How many times as much." Ratio;
    "How many devices." Devices;
}

/// Whole months.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Months(pub u32);
