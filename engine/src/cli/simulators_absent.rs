//! Without the feature `sandbox` there is nothing to simulate.

use std::path::Path;

use app::{AppError, Places, Simulators};

use super::args::Simulated;

/// See `simulators.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// They may write their state down.
    Always,
    /// Only where they did before.
    IfThere,
}

/// No simulators.
pub(crate) struct Simulation;

impl Simulation {
    /// Starts nothing.
    pub(crate) async fn start(
        _args: &Simulated,
        _around: &Path,
        _places: &Places,
        _keep: Keep,
    ) -> Result<Self, AppError> {
        Ok(Simulation)
    }

    /// None.
    pub(crate) fn simulators(&self) -> Option<Simulators> {
        None
    }

    /// No.
    pub(crate) fn simulated(&self) -> bool {
        false
    }

    /// Ends nothing.
    pub(crate) async fn stop(self) {}
}
