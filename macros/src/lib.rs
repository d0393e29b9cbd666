//! The macros of gaggle.
