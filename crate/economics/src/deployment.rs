//! The ways to answer requests that are compared.

use serde::{Deserialize, Serialize};

/// One way to answer requests; `as usize` is its place in every array of five.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deployment {
    /// A cloud API answers every request.
    Cloud,
    /// Servers of one's own, shared by all users.
    Edge,
    /// A program on devices that the users own.
    #[serde(rename = "endpoint")]
    OnDevice,
    /// The users' browsers, from a model that they download.
    Browser,
    /// Edge servers, with the cloud behind them.
    Hybrid,
}

impl Deployment {
    /// Every deployment, in the order of all arrays.
    pub const ALL: [Self; 5] = [Self::Cloud, Self::Edge, Self::OnDevice, Self::Browser, Self::Hybrid];

    /// Name in files and data.
    pub fn name(self) -> &'static str {
        ["cloud", "edge", "endpoint", "browser", "hybrid"][self as usize]
    }

    /// Name within a sentence.
    pub fn noun(self) -> &'static str {
        ["the cloud", "the edge", "running on users’ devices", "running in the browser", "the hybrid"]
            [self as usize]
    }

    /// Name on the page.
    pub fn label(self) -> &'static str {
        ["Cloud API", "Edge servers", "Users' devices", "In the browser", "Hybrid"][self as usize]
    }
}
