//! What the workspace-wide tests share.
