//! The origin's private file system (OPFS): models, and what was found out about this device.

mod files;
mod index;
mod quota;
pub(crate) mod reports;

pub(crate) use files::{Opened, StoredFile, open};
pub(crate) use index::{available, forget, forget_where};
pub(crate) use quota::remaining;
