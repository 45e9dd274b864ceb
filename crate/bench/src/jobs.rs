//! Programs that are started once and then asked: one line of JSON in, one line of JSON out.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A running program; it ends when this is dropped, because then no more jobs can come.
pub(crate) struct JobServer {
    name: String,
    child: Child,
    jobs: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl JobServer {
    /// Starts it with `setting` as its first job; gives what it answers to that. `name` is for messages.
    pub(crate) fn start<T: DeserializeOwned>(
        name: &str,
        command: &mut Command,
        setting: &Value,
    ) -> Result<(Self, T)> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {name}"))?;
        let jobs = child.stdin.take();
        let output = child.stdout.take().with_context(|| format!("{name} has no output to read"))?;
        let mut server = Self { name: name.to_owned(), child, jobs, answers: BufReader::new(output).lines() };
        let first = server.ask(setting)?;
        Ok((server, first))
    }

    /// What it answers to `job`.
    pub(crate) fn ask<T: DeserializeOwned>(&mut self, job: &Value) -> Result<T> {
        let name = &self.name;
        let jobs = self.jobs.as_mut().with_context(|| format!("{name} has ended"))?;
        writeln!(jobs, "{job}")
            .and_then(|()| jobs.flush())
            .with_context(|| format!("{name} no longer listens"))?;
        let Some(line) = self.answers.next() else { bail!("{name} failed; what it said stands above") };
        let line = line.with_context(|| format!("{name} cannot be read"))?;
        serde_json::from_str(&line).with_context(|| format!("{name} answered something else: {line}"))
    }
}

impl Drop for JobServer {
    fn drop(&mut self) {
        self.jobs = None;
        // Whatever it still says must not block it in the middle of its end.
        self.answers.by_ref().for_each(drop);
        let _ = self.child.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use serde_json::{Value, json};

    use super::JobServer;

    #[test]
    fn every_line_is_answered_and_an_end_is_told() {
        let (mut echo, first) =
            JobServer::start::<Value>("cat", &mut Command::new("cat"), &json!({ "a": 1 })).unwrap();
        assert_eq!(first, json!({ "a": 1 }));
        assert_eq!(echo.ask::<Value>(&json!([2])).unwrap(), json!([2]));
        assert!(echo.ask::<u32>(&json!("x")).unwrap_err().to_string().contains("something else"));
        drop(echo);
        // It reads its first job, so that it ends only after that.
        let mut reader = Command::new("sh");
        let ended = JobServer::start::<Value>("reader", reader.args(["-c", "read job"]), &json!(0)).map(drop);
        assert_eq!(ended.unwrap_err().to_string(), "reader failed; what it said stands above");
    }
}
