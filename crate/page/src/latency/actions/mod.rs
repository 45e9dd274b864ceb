//! What a visitor asks of the section, and what the worker’s messages and the comparison change in it.

mod measure;
mod simulate;
