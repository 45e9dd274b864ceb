//! The visitor's commands to the section, and the worker's messages to it.

mod measure;
mod simulate;
