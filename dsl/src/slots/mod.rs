//! The plan as slots.
mod raw;
mod scan;
