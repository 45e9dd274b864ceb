//! The visitor's commands to the section, and the worker's messages to it.

mod bench;
mod chat;
mod model;
mod pace;
mod store;
