//! The origin's private file system (OPFS): models, and what was found out about this device.

mod files;
mod folder;
mod index;
mod quota;
pub(crate) mod records;
pub(crate) mod reports;

pub(crate) use files::{Opened, StoredFile, open};
pub(crate) use folder::available;
pub(crate) use index::{delete, file, forget, forget_empty, forget_where, list, parts_of, size, stored_name};
pub(crate) use quota::remaining;
