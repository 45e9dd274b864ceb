//! What a visitor asks of the section, and what the worker’s messages change in it.

mod bench;
mod chat;
mod model;
