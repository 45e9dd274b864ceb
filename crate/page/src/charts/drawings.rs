//! Content of drawings as plain data: line charts, tornado, waterfall, decision path,
//! and the table that says the same as each. It knows no economics; whoever fills it formats the figures.

use serde::Serialize;

use crate::shared::origin::Origin;

/// Which way of running the model a line or a path is about. Colour, dashes and pattern follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Paid per use.
    Cloud,
    /// Servers of one's own.
    Edge,
    /// Devices that the users have.
    Endpoint,
    /// In the visitor's tab.
    Browser,
    /// A share here, the rest in the cloud.
    Hybrid,
}

impl Role {
    /// The name that classes and `charts.js` use.
    pub const fn key(self) -> &'static str {
        match self {
            Role::Cloud => "cloud",
            Role::Edge => "edge",
            Role::Endpoint => "endpoint",
            Role::Browser => "browser",
            Role::Hybrid => "hybrid",
        }
    }
}

/// Unit of an axis, and so how they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// US dollars, written as the visitor's locale writes them.
    Usd,
    /// Months, requests, anything plain.
    Count,
}

/// One axis of a line chart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Axis {
    /// Quantity along it; that a scale is logarithmic is added by the drawing.
    pub label: String,
    /// Unit of its numbers.
    pub unit: Unit,
    /// Whether it is logarithmic.
    pub log: bool,
    /// Positions along it, rising; empty for the vertical one.
    pub values: Vec<f64>,
}

/// The range around a line, P10 to P90, one value at each position of the x axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Band {
    /// Lower edge.
    pub low: Vec<Option<f64>>,
    /// Upper edge.
    pub high: Vec<Option<f64>>,
}

/// One line of a chart; `None` where there is no value, or a log axis has no place for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Name at its end.
    pub label: String,
    /// Which way of running the model it shows.
    pub role: Role,
    /// One value at each position of the x axis, in the y axis' unit.
    pub values: Vec<Option<f64>>,
    /// How far it may lie off, where that is known.
    pub band: Option<Band>,
}

/// A marked point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mark {
    /// Position along the x axis.
    pub x: f64,
    /// Position along the y axis.
    pub y: f64,
    /// Label above it.
    pub label: String,
}

/// A line chart, as `charts.js` draws it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chart {
    /// Months or requests.
    pub x: Axis,
    /// Dollars.
    pub y: Axis,
    /// Up to five lines, one a role.
    pub series: Vec<Line>,
    /// Points to point out.
    pub marks: Vec<Mark>,
}

/// A table that says what a drawing shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// One a column.
    pub heads: Vec<String>,
    /// As many cells as there are heads.
    pub rows: Vec<Row>,
}

/// One row of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The first names the row; the others are figures.
    pub cells: Vec<String>,
    /// A remark on the row; a row with one is set off from the others.
    pub note: Option<String>,
}

/// How far the result moves with each input alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Tornado {
    /// Measure of the bars: `Saving over 36 months`.
    pub measure: String,
    /// The result with every input at its base.
    pub base: f64,
    /// The same, written out.
    pub base_text: String,
    /// Name of the side below zero: `cloud cheaper`.
    pub below_zero: String,
    /// Name of the side above zero: `edge cheaper`.
    pub above_zero: String,
    /// In the order they are drawn.
    pub rows: Vec<Swing>,
}

/// One input moved from its low to its high end.
#[derive(Clone, Debug, PartialEq)]
pub struct Swing {
    /// The input.
    pub label: String,
    /// With the input at its low end.
    pub low: End,
    /// With the input at its high end.
    pub high: End,
    /// Whether the verdict changes between the two.
    pub changes_verdict: bool,
    /// A sentence for whoever points at the bar.
    pub detail: String,
}

/// One end of a swing.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// The input's value there, written out: `1,000,000 requests`.
    pub input: String,
    /// The result there.
    pub value: f64,
    /// The same, written out: `−$7,400`.
    pub text: String,
}

/// How one amount becomes another, step by step.
#[derive(Clone, Debug, PartialEq)]
pub struct Waterfall {
    /// Measure of the amounts: `Present value over 36 months`.
    pub measure: String,
    /// In the order they are drawn.
    pub steps: Vec<Step>,
}

/// Effect of a step on the running total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Begins it with the amount.
    Start,
    /// Adds the amount.
    Add,
    /// Takes the amount away.
    Subtract,
    /// States it: the bar stands on zero and reaches to the amount.
    Total,
}

/// One step of a waterfall.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Purpose of the amount.
    pub label: String,
    /// How much, before the kind's sign.
    pub amount: f64,
    /// The same, written out.
    pub text: String,
    /// Its effect on the running total.
    pub kind: StepKind,
    /// A sentence for whoever points at the bar.
    pub detail: String,
}

/// How a gate was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The value meets the threshold.
    Passed,
    /// It does not: the option is out.
    Failed,
    /// Nothing is known to check it with.
    NotChecked,
    /// An earlier gate had already decided.
    Skipped,
}

/// One question on an option's way to the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Short name, the same for every option: `Memory`.
    pub name: String,
    /// The question: `Does the model fit?`
    pub question: String,
    /// The answer.
    pub outcome: Outcome,
    /// The finding, written out; empty where nothing was.
    pub value: String,
    /// The requirement, written out; empty where nothing was.
    pub threshold: String,
    /// Where the value comes from.
    pub origin: Origin,
    /// The same in words: `device check in this tab`; may be empty.
    pub origin_text: String,
    /// Meaning of the answer for the option.
    pub sentence: String,
}

/// One option's way through the gates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The option: `In the browser`.
    pub option: String,
    /// Its colour and pattern.
    pub role: Role,
    /// In the order they were asked.
    pub gates: Vec<Gate>,
    /// Whether it passed every gate.
    pub feasible: bool,
    /// Whether it is the one to take.
    pub chosen: bool,
    /// How it ended: `Feasible, second by NPV: $12,300 more than the edge.`
    pub result: String,
}

impl Table {
    /// The table as comma-separated values with a line of heads (RFC 4180).
    pub fn csv(&self) -> String {
        self.separated(",", "\r\n", |cell| {
            let quoted = cell.contains([',', '"', '\n', '\r']);
            if quoted { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
        })
    }

    /// The table as a spreadsheet takes it when pasted: columns parted by tabs.
    pub fn tsv(&self) -> String {
        self.separated("\t", "\n", |cell| cell.replace(['\t', '\n', '\r'], " "))
    }

    fn separated(&self, column: &str, line: &str, written: fn(String) -> String) -> String {
        let noted = self.rows.iter().any(|row| row.note.is_some());
        let mut lines = vec![self.heads.iter().map(String::as_str).chain(noted.then_some("Note")).collect()];
        for row in &self.rows {
            let note = noted.then(|| row.note.as_deref().unwrap_or_default());
            lines.push(row.cells.iter().map(String::as_str).chain(note).collect::<Vec<_>>());
        }
        let written = |cells: Vec<&str>| -> String {
            let cells: Vec<String> = cells.into_iter().map(|cell| written(harmless(cell))).collect();
            cells.join(column) + line
        };
        lines.into_iter().map(written).collect()
    }
}

/// A cell that a spreadsheet reads as a number or as text, never as a formula.
fn harmless(cell: &str) -> String {
    // Programs know the minus of the keyboard only.
    let cell = cell.replace('−', "-");
    figures::sheet::guarded(&cell).into_owned()
}

impl Tornado {
    /// The same as a table.
    pub fn table(&self) -> Table {
        let heads = ["Input", "Low", "Result at low", "High", "Result at high"];
        let rows = self.rows.iter().map(|row| Row {
            cells: vec![
                row.label.clone(),
                row.low.input.clone(),
                row.low.text.clone(),
                row.high.input.clone(),
                row.high.text.clone(),
            ],
            note: row.changes_verdict.then(|| "changes the verdict".to_owned()),
        });
        Table { heads: heads.map(str::to_owned).to_vec(), rows: rows.collect() }
    }
}

impl Waterfall {
    /// The same as a table.
    pub fn table(&self) -> Table {
        let rows = self.steps.iter().map(|step| Row {
            cells: vec![step.label.clone(), step.signed()],
            note: (!step.detail.is_empty()).then(|| step.detail.clone()),
        });
        Table { heads: vec!["Step".to_owned(), self.measure.clone()], rows: rows.collect() }
    }
}

impl Step {
    /// The amount with the sign of what it does to the total: `+ $400`, `− $1,200`, `$54,000`.
    pub fn signed(&self) -> String {
        let bare = self.text.trim_start_matches(['−', '-', '+']);
        match (self.kind, self.amount < 0.0) {
            (StepKind::Start | StepKind::Total, _) => self.text.clone(),
            (StepKind::Add, false) | (StepKind::Subtract, true) => format!("+{bare}"),
            (StepKind::Add, true) | (StepKind::Subtract, false) => format!("−{bare}"),
        }
    }
}

impl Outcome {
    /// The sign that stands for it; never alone, for a sign says nothing to a screen reader.
    pub const fn sign(self) -> &'static str {
        match self {
            Outcome::Passed => "✓",
            Outcome::Failed => "✗",
            Outcome::NotChecked => "?",
            Outcome::Skipped => "–",
        }
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::NotChecked => "not checked",
            Outcome::Skipped => "skipped",
        }
    }

    /// The name that classes use.
    pub const fn key(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::NotChecked => "unchecked",
            Outcome::Skipped => "skipped",
        }
    }
}

/// Names of all gates on the paths, in the order in which they are first asked.
pub fn gate_names(paths: &[Path]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for gate in paths.iter().flat_map(|path| &path.gates) {
        if !names.contains(&gate.name.as_str()) {
            names.push(&gate.name);
        }
    }
    names
}
