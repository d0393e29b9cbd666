//! What a dump and the metrics tell, and that looking hurts nobody.

#[path = "diag/json.rs"]
mod json;
#[path = "diag/looks.rs"]
mod looks;
#[path = "diag/metrics.rs"]
mod metrics;
mod support;
