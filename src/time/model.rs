//! The clockwork of timers, for its models: what users see of it is not there under loom.

#[allow(dead_code, reason = "a model needs less of it")]
mod alarm;
mod models;
