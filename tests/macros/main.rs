//! What the macros promise: one module per macro, and one for names that must not meet.

#![cfg(not(loom))]
#![deny(warnings)]
#![forbid(unsafe_code)]

mod attributes;
mod go;
mod hygiene;
mod select;
