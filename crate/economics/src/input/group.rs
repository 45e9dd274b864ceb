//! The parts of a scenario that inputs are grouped by.

/// Which part of the scenario an input belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Requests, their size and their growth.
    Demand,
    /// How money is counted over time.
    Finance,
    /// A cloud API.
    Cloud,
    /// Building it.
    Engineering,
    /// Servers of one's own.
    Edge,
    /// Devices that the users own.
    OnDevice,
    /// The users' browsers.
    Browser,
    /// Edge servers with the cloud behind them.
    Hybrid,
    /// Requirements on a deployment.
    Policy,
}

impl Group {
    /// Every group, in the order of the page.
    pub const ALL: [Self; 9] = [
        Self::Demand,
        Self::Finance,
        Self::Cloud,
        Self::Engineering,
        Self::Edge,
        Self::OnDevice,
        Self::Browser,
        Self::Hybrid,
        Self::Policy,
    ];

    /// Name in files: the section of its keys.
    pub fn name(self) -> &'static str {
        ["demand", "finance", "cloud", "engineering", "edge", "endpoint", "browser", "hybrid", "policy"]
            [self as usize]
    }

    /// Name on the page.
    pub fn label(self) -> &'static str {
        [
            "Demand",
            "Time and money",
            "Cloud API",
            "Engineering",
            "Edge servers",
            "Users' devices",
            "In the browser",
            "Hybrid",
            "Requirements",
        ][self as usize]
    }
}
